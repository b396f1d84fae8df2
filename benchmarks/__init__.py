"""Every figure that the README or a model card quotes is written by `python -m benchmarks`."""
