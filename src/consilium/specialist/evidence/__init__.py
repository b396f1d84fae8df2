"""What can honestly be said about a model: figures with intervals, baselines, calibration, what it does not know."""
