"""Figures of the pages: SVG drawn here, without inline style, each with its table for whoever does not see it."""
