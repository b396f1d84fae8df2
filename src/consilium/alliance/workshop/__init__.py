"""Specialists that a hospital builds for itself: cases come in, a job fits a model, people read, ask and publish it."""
