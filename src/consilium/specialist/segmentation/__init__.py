"""Outlines from a few hundred outlined pictures: pixel classifiers on the pyramid, in the plane and in volumes."""
