"""Hospitals that share compute, models and training while each keeps its data."""
