"""The report of a specialist, as HTML, PDF and JSON, in Chinese and English."""
