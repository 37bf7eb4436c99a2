"""The expressions of a form as formulas of ours: the same words, with our names for the questions."""

from __future__ import annotations

from collections.abc import Mapping

from surveys.expressions import formula
from surveys.tokens import BadFormula, Token, name_of, tokens

_JOINS = ("=", "!=", ",")


def translated(expression: str, names: Mapping[str, str], ticked: frozenset[str]) -> str:
    """Return an expression of a form as a formula; ``names``: ours by theirs, ``ticked``: theirs that are acknowledged.

    Raises BadFormula, whose sentence has no full stop.
    """
    text = " ".join(expression.split())
    pieces = list(tokens(text))
    written, end = "", 0
    for number, piece in enumerate(pieces):
        written += text[end : piece.at] + _word(pieces, number, names, ticked)
        end = piece.at + len(piece.text)
    return formula(written).text


def _word(pieces: list[Token], number: int, names: Mapping[str, str], ticked: frozenset[str]) -> str:
    piece = pieces[number]
    if piece.kind == "reference":
        theirs = name_of(piece)
        if theirs not in names:
            raise BadFormula(f"${{{theirs}}} names nothing that has an answer here")
        return f"${{{names[theirs]}}}"
    if piece.text in ("'OK'", '"OK"') and number > 1 and pieces[number - 1].text in _JOINS:
        before = pieces[number - 2]
        if before.kind == "reference" and name_of(before) in ticked:
            return "'yes'"
    return piece.text


def joined(*conditions: str) -> str:
    """Return formulas that must all hold as one."""
    return conditions[0] if len(conditions) == 1 else " and ".join(f"({each})" for each in conditions)
