"""The circuit breaker: before a sweep does more by itself than people expect, it stops and a manager decides."""
