"""What a release has beside its wheel: pinned hashes of everything it needs, and a list of it (SBOM)."""
