"""Why something about a case was refused. Each error is a sentence for the person who tried."""

from __future__ import annotations

from collections.abc import Mapping

from state_machines.values import Refused


class CaseError(Exception):
    """Something about a case prevents this."""

    status = 409

    def __str__(self) -> str:
        return " ".join([(type(self).__doc__ or "").strip(), *map(str, self.args)]).strip()


class CaseNotFound(CaseError):
    """There is no such case, or it is not yours to see:"""

    status = 404


class CaseChanged(CaseError):
    """Someone else changed this case while you were looking at it."""


class CaseBusy(CaseError):
    """Somebody else is at work on this case at this very moment; please try again."""


class TransitionRefused(CaseError):
    """The process does not allow this."""

    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        super().__init__(refused.sentence)

    def __str__(self) -> str:
        return self.refused.sentence

    @property
    def errors(self) -> Mapping[str, tuple[str, ...]]:
        """Errors by field of the form."""
        return self.refused.errors


class NotAllowed(CaseError):
    """This is not yours to do."""

    status = 403

    def __str__(self) -> str:
        return " ".join(map(str, self.args)) or (self.__doc__ or "")


class NobodyToOwn(CaseError):
    """There is nobody on the staff who could own a case; add a member of staff first."""


class BadInput(CaseError):
    """What was given cannot be used."""

    status = 422

    def __str__(self) -> str:
        return " ".join(map(str, self.args)) or (self.__doc__ or "")
