"""The cytogenetic language: ISCN 2024 strings read, written and judged."""
