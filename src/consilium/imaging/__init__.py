"""Pictures as files: what kind they are, how they are found, and how they become grey levels."""
