"""What the register refuses, each with a sentence for the person who asked."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class MembersError(Exception):
    """Something was asked of the register or the staff list that cannot be done; `str()` is the sentence."""

    status = 422


class NotFound(MembersError):
    """Nobody answers to this name or reference."""

    status = 404


class Ambiguous(MembersError):
    """Several members answer to this name; the sentence lists them."""


class Changed(MembersError):
    """Somebody else changed the member in the meantime."""

    status = 409


class AlreadyDecided(MembersError):
    """Somebody else decided in the meantime."""

    status = 409


class NotYours(MembersError):
    """This is not for this person to do."""

    status = 403


class Unusable(MembersError):
    """A file, mapping or option that cannot be used as it is."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean "…"?`` for the closest known word, or nothing."""
    by_folded = {each.casefold(): each for each in known}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return f' Did you mean "{by_folded[close[0]]}"?' if close else ""


def listed(words: Sequence[str], limit: int = 10) -> str:
    """Return "a, b and c", shortened to `limit` words: "a, b and 5 more"."""
    shown = list(words[:limit])
    if len(words) > limit:
        shown.append(f"{len(words) - limit} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
