"""Everything that is or will be sent, and what came back."""
