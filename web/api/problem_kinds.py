"""The kinds of problem the API tells of. Their addresses are stable: programs branch on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem."""

    slug: str
    status: int
    title: str
    text: str
    """What it means and what to do about it."""

    @property
    def uri(self) -> str:
        """The ``type`` of problems of this kind."""
        return f"/problems/{self.slug}"


_ALL = (
    Kind("malformed", 400, "The request cannot be read",
         "The body is not what its content type says. JSON must be UTF-8 without NaN, lone surrogates or more than "
         "32 levels; a form must be multipart/form-data."),
    Kind("token-refused", 401, "No valid token",
         "This needs a valid API token: send it as `Authorization: Bearer mst_…`. The token may be mistyped, expired "
         "or revoked, or its owner may have left."),
    Kind("not-allowed", 403, "Not allowed",
         "The token lacks the scope, or its owner the role, that this needs."),
    Kind("not-found", 404, "Not found",
         "There is no such thing, or it is not yours to see; which of the two is not told."),
    Kind("method-not-allowed", 405, "Method not allowed",
         "There is something at this address, but it does not take this method; `Allow` names those it takes."),
    Kind("not-acceptable", 406, "Not acceptable",
         "The API answers in JSON; accept application/json."),
    Kind("refused", 409, "Refused by the process",
         "The process does not allow this now, or not you; the sentence says why. Look at the choices of the case."),
    Kind("busy", 409, "At work this very moment",
         "Somebody else is at work on the same at this very moment. Try again after `Retry-After` seconds."),
    Kind("key-in-use", 409, "The first request is still at work",
         "A request with this Idempotency-Key is still at work. Try again after `Retry-After` seconds."),
    Kind("answer-lost", 409, "The first answer is lost",
         "A request with this Idempotency-Key was begun, and its answer was lost: it may have been done or not. Look, "
         "and if it was not, send it again with a new key."),
    Kind("changed", 412, "Changed meanwhile",
         "It is no longer at the version of `If-Match`. `changes` says who did what; read it again, then decide."),
    Kind("too-large", 413, "Too large",
         "The body is larger than what is taken: 1 MiB of JSON, or a file of 20 MiB."),
    Kind("unsupported-media-type", 415, "Unsupported media type",
         "Send JSON as application/json, and files as multipart/form-data."),
    Kind("invalid", 422, "The request is not valid",
         "A field is missing or cannot be used; `errors` says what is wrong, field by field."),
    Kind("key-reused", 422, "This key was used for another request",
         "This Idempotency-Key came with another request before. Use a new key for each new request."),
    Kind("internal", 500, "Something went wrong inside Muster",
         "A mistake of ours or of the server. It is in the log."),
    Kind("unavailable", 503, "Not available",
         "The database cannot be reached or is not set up. Try again after `Retry-After` seconds."),
    Kind("no-room", 507, "No room",
         "The file could not be stored; nothing was kept."),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {kind.slug: kind for kind in _ALL}
"""By slug."""

_BY_STATUS: Mapping[int, Kind] = {kind.status: kind for kind in reversed(_ALL)}


def kind_of_status(status: int) -> Kind:
    """Return the plainest kind of problem with this status; for one that none has, the kind of its class."""
    return _BY_STATUS.get(status) or KINDS["internal" if status >= 500 else "malformed"]
