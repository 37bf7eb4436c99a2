"""What the circuit breaker holds back until a manager decides."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    pass
