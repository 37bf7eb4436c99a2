"""Letters that differ in a few words: rendered once with blanks, which are then filled in for each reader.

The invitations of a campaign have everything in common but whom they go to and a link. A blank can be written, and
asked whether there is something in it; whatever else a template does with it raises, and such letters are rendered one
by one. What a filter could change unseen is found beforehand: a template that uses more of its language than the nodes
below is never filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any, NoReturn

import orjson
from jinja2 import Environment, nodes
from jinja2.meta import find_referenced_templates
from markupsafe import escape

from notifications.context import MailContext

_MARK = token_hex(8)
"""Nobody who writes something that ends up in a letter knows it."""
_BLANK = re.compile(rf"<{_MARK}:(\d+):([th])>")
_HARMLESS = (
    nodes.Template, nodes.Extends, nodes.Block, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If,
    nodes.Getattr, nodes.Getitem, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.For,
)  # fmt: skip
_FILTERS = {"day", "moment", "money"}
"""They raise when they are given a blank."""


_Common = tuple[Any, ...]


class _Blank:
    """A place for words: they can be written, and be there or not."""

    __slots__ = ("_number", "_there")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, number: int, there: bool) -> None:
        self._number, self._there = number, there

    def __bool__(self) -> bool:
        return self._there

    def __str__(self) -> str:
        return f"<{_MARK}:{self._number}:t>"

    def __html__(self) -> str:
        return f"<{_MARK}:{self._number}:h>"

    def _no(self, *_: object) -> NoReturn:
        raise TypeError("these words differ from letter to letter")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no
    __format__ = __repr__ = _no


@dataclass(frozen=True, slots=True)
class _Form:
    """Letters with blanks, and what all of them have in common."""

    common: _Common
    parts: tuple[list[str], ...]
    """Of each template its words; every second one is for a blank."""
    blanks: tuple[list[tuple[int, bool]], ...]
    """Of each template which words are wanted, in order, and whether they are escaped."""


_forms: dict[tuple[Environment, tuple[str, ...]], _Form | None] = {}
"""The last form of each kind of letter; None where each is rendered by itself."""


def filled_in(environment: Environment, names: tuple[str, ...], context: MailContext) -> list[str] | None:
    """Return what these templates say in this context, or None where they must be rendered for it alone."""
    key = environment, names
    if key not in _forms:
        can = all(_is_plain(environment, name) for name in names)
        _forms[key] = _Form((), (), ()) if can else None
    form = _forms[key]
    if form is None:
        return None
    words, common = _taken_apart(context)
    if form.common != common:
        try:
            form = _forms[key] = _form(environment, names, context, words, common)
        except Exception:  # whatever it is, rendering the letter by itself says it again, or has no trouble
            return None
    texts: list[str | None] = [None] * len(words)
    pages: list[str | None] = [None] * len(words)
    return [_written(*each, words, texts, pages) for each in zip(form.parts, form.blanks, strict=True)]


def _taken_apart(context: MailContext) -> tuple[tuple[Any, ...], _Common]:
    """Return the words that differ from letter to letter, and what must be equal in letters that have a form."""
    to, case, member = context.recipient, context.case, context.member
    words = (
        to.email, to.name, to.contact_id, to.staff_id, context.link, context.why, context.unsubscribe,
        case.ref if case else None, member.name if member else None, member.ref if member else None,
    )  # fmt: skip
    common = (
        tuple(map(bool, words)), to.role, to.language, context.organisation, context.zone_name, context.deadline,
        context.clock, _exactly(context.payload), _exactly(context.data), member is None, case is None,
        (case.subject, case.title, case.state, _exactly(case.data), case.opened_on, case.received_on) if case else None,
    )  # fmt: skip
    return words, common


def _exactly(data: Mapping[str, Any]) -> bytes:
    """Return data so that what is written differently differs: 1, 1.0 and True are equal."""
    return orjson.dumps(data, default=repr, option=_AS_THEY_ARE)


_AS_THEY_ARE = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS


def _form(
    environment: Environment, names: Sequence[str], context: MailContext, words: tuple[Any, ...], common: _Common
) -> _Form:
    """Return the letters with blanks. Raises what rendering raises when a template asks too much of a blank."""
    blanks: list[Any] = [_Blank(number, bool(word)) for number, word in enumerate(words)]
    email, name, contact_id, staff_id, link, why, unsubscribe, ref, member_name, member_ref = blanks
    variables = replace(
        context, link=link, why=why, unsubscribe=unsubscribe,
        recipient=replace(context.recipient, email=email, name=name, contact_id=contact_id, staff_id=staff_id),
        case=replace(context.case, ref=ref) if context.case else None,
        member=replace(context.member, name=member_name, ref=member_ref) if context.member else None,
    ).variables()  # fmt: skip
    parts, wanted = [], []
    for each in names:
        found = _BLANK.split(environment.get_template(each).render(variables))
        wanted.append([(int(number), how == "h") for number, how in zip(found[1::3], found[2::3], strict=True)])
        parts.append([part for place, part in enumerate(found) if place % 3 != 2])
    return _Form(common, tuple(parts), tuple(wanted))


def _written(
    parts: list[str], blanks: list[tuple[int, bool]], words: tuple[Any, ...], texts: list[str | None],
    pages: list[str | None],
) -> str:  # fmt: skip
    """Return one template with its blanks filled in; each word is escaped once for all of them."""
    whole = parts.copy()
    for place, (number, escaped) in enumerate(blanks):
        known = pages if escaped else texts
        word = known[number]
        if word is None:
            word = known[number] = str(escape(words[number])) if escaped else str(words[number])
        whole[2 * place + 1] = word
    return "".join(whole)


def _is_plain(environment: Environment, name: str) -> bool:
    """Whether a template and those it extends do nothing with words but to write them."""
    if environment.loader is None:
        return False
    tree = environment.parse(environment.loader.get_source(environment, name)[0])
    others = list(find_referenced_templates(tree))
    return all(_is_harmless(node) for node in tree.find_all(nodes.Node)) and all(
        other is not None and _is_plain(environment, other) for other in others
    )


def _is_harmless(node: nodes.Node) -> bool:
    return isinstance(node, _HARMLESS) or (isinstance(node, nodes.Filter) and node.name in _FILTERS)
