"""The second rung: the last stage of the encoder trained on, taken only where it is better by more than chance."""
