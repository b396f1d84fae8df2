"""Operations that anybody may ask."""

PUBLIC = frozenset({("GET", "/api/v1/health"), ("POST", "/api/v1/session")})

OF_THE_ALLIANCE = ("/api/v1/compute/", "/api/v1/model", "/api/v1/specialists", "/api/v1/studies", "/api/v1/datasets")
"""What is asked of the alliance and not of the laboratory: docs/reference/permissions.md says who may."""
