"""A model as a thing to ship: its file, its card, and how it runs."""
