"""A backup of a laboratory: one file with every record, account and picture, for SQLite and PostgreSQL alike."""
