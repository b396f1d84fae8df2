"""Operations that anybody may ask."""

PUBLIC = frozenset({("GET", "/api/v1/health"), ("POST", "/api/v1/session")})
