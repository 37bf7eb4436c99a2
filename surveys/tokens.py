"""The pieces of which a formula is made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 4000
_MOST = 400
"""Pieces of a formula: what is made of more is taken for a slip, and could not be worked out in bounded depth."""


class BadFormula(ValueError):
    """The formula can't be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a formula: its kind, its words, and where it begins."""

    kind: str
    text: str
    at: int


_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d{1,20}(?:\.\d{1,20})?|\.\d{1,20})|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<reference>\$\{\s*[A-Za-z_][\w.-]*\s*\})|(?P<name>[A-Za-z_][\w-]*(?::[\w-]+)?)"
    r"|(?P<sign><=|>=|!=|\.\.|[=<>+*(),.\-])",
    re.ASCII,
)


def tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of a formula, white space left out. Raises BadFormula."""
    if len(text) > LONGEST:
        raise BadFormula(f"the formula is longer than {LONGEST} characters")
    at = count = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.group() == "..":
            raise BadFormula(_unreadable(text, at))
        count += found.lastgroup != "space"
        if count > _MOST:
            raise BadFormula("the formula has too many parts; divide it with calculate")
        if found.lastgroup != "space":
            yield Token(str(found.lastgroup), found.group(), at)
        at = found.end()


def _unreadable(text: str, at: int) -> str:
    if text[at] in "/@[" or text.startswith("..", at):
        return "paths such as ../x are not supported; name the question as ${x}"
    if text[at] in "'\"":
        return "a quotation mark opens and never closes"
    return f"{text[at : at + 10]!r} can't be read"


def name_of(token: Token) -> str:
    """Return the name inside `${name}`."""
    return token.text[2:-1].strip()
