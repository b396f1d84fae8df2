"""A cell under a person's hands: what it is, what can be done with it, what it says then. No database, no web."""
