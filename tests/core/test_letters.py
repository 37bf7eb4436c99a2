"""Letters that differ in a few words come out of one form exactly as if each were rendered by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from notifications import catalogue, letters, rendering
from notifications.context import MailContext, MemberText
from notifications.samples import sample_context

READERS = ("Chandra Rao", "<b>Zoë</b> & 'Søn' \ue000", "O'Neill \N{SNOWMAN}", "")


def to(context: MailContext, name: str) -> MailContext:
    """Return the letter as somebody else gets it."""
    return replace(
        context,
        recipient=replace(context.recipient, name=name, email=f"{len(name)}@x.example", contact_id=len(name) or None),
        link=f"https://muster.example.org/m/{len(name)}?a=1&b=2",
        why=f"You are {name}.",
        member=MemberText(name[::-1], f"M-{len(name)}"),
        case=replace(context.case, ref=f"X-{len(name)}") if context.case else None,
    )


def templates(**texts: str) -> Environment:
    """Return an environment with these templates."""
    return Environment(
        loader=DictLoader(texts), autoescape=select_autoescape(["html"], default=False), undefined=StrictUndefined
    )


def context() -> MailContext:
    """Return some letter's facts."""
    return sample_context(catalogue.kind("survey_invitation"))


@pytest.mark.parametrize("kind", sorted(catalogue.entries()))
def test_every_message_says_to_each_reader_what_it_says_when_rendered_alone(kind: str) -> None:
    first = sample_context(catalogue.kind(kind))
    environment = rendering._environment(first.zone_name)
    names = rendering._names(catalogue.entry(kind), "")
    for name in (*READERS, *READERS):
        mine = to(first, name)
        alone = rendering._rendered(environment, names, mine.variables())
        assert letters.filled_in(environment, names, mine) in (alone, None)


def test_the_invitations_of_a_campaign_are_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names, environment = (
        ("a.txt", "a.html"),
        templates(**{"a.txt": "Dear {{ recipient.name }}", "a.html": "{{ link }}"}),
    )
    assert letters.filled_in(environment, names, to(context(), "Ada")) == [
        "Dear Ada", "https://muster.example.org/m/3?a=1&amp;b=2"]  # fmt: skip
    monkeypatch.setattr(environment, "get_template", None)
    found = letters.filled_in(environment, names, to(context(), "Bo & Co"))
    assert found == ["Dear Bo & Co", "https://muster.example.org/m/7?a=1&amp;b=2"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ recipient.name|upper }}",
        "{{ recipient.name|replace('a', 'b') }}",
        "{{ member.name ~ '!' }}",
        "{{ link.split('/') }}",
        "{{ recipient.name[0] }}",
        "{{ recipient.address }}",
        "{{ why|day }}",
        "{% if recipient.name == 'Ada' %}you{% endif %}",
        "{% if recipient.name in ['Ada'] %}you{% endif %}",
        "{% for sign in recipient.name %}{{ sign }}{% endfor %}",
        "{% set x = recipient.name %}{{ x }}",
        "{% extends link %}",
    ],
)
def test_a_template_that_does_more_with_words_than_to_write_them_is_rendered_for_each_reader(text: str) -> None:
    environment = templates(a=text)
    environment.filters["day"] = rendering.environment_for("Europe/London", []).filters["day"]
    assert letters.filled_in(environment, ("a",), to(context(), "Ada")) is None


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1})])
def test_values_that_are_equal_and_written_differently_are_told_apart(one: Any, other: Any) -> None:
    environment = templates(a="{{ data.value }}")
    for value in (one, other):
        found = letters.filled_in(environment, ("a",), replace(context(), data={"value": value}))
        assert found == [str(value)]
