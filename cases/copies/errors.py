"""What may be wrong with a copy, in sentences for whoever makes or uses it."""

from __future__ import annotations

from cases.errors import CaseError


class BadBackup(CaseError):
    """This is no backup that can be used:"""

    status = 422


class NotRestored(CaseError):
    """Nothing was restored:"""

    status = 409


class NotMoved(CaseError):
    """Nothing was moved:"""

    status = 409
