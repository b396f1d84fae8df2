"""Who is signed in: accounts, sessions, tokens of other systems, single sign-on; what every answer carries."""
