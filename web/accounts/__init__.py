"""Signing in and out, passwords, OpenID Connect, API tokens, and one's own account."""
