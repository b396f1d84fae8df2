"""Hospitals train one model together; their cases stay where they are."""
