"""The cases behind a figure of the results, by name: for whoever may open them, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.campaigning.answered import everybody, questionnaire_of
from cases.campaigning.results import EVERYBODY, Narrowed
from cases.campaigning.sight import looking
from cases.environment import Environment
from cases.errors import BadInput
from state_machines.values import Actor
from surveys.aggregate import Response
from surveys.items import Item, items


@dataclass(frozen=True)
class Behind:
    """One case behind a figure."""

    ref: str
    member: str
    member_ref: str
    team: str
    told: str


@dataclass(frozen=True)
class Drilled:
    """The cases behind a figure, by name."""

    ref: str
    title: str
    words: str
    which: str
    lines: list[Behind] = field(default_factory=list)


WHICH = {
    "answered": "answered", "unanswered": "were asked and gave no answer", "not-asked": "were not asked",
    "excluded": "are left out, because the answer was accepted with a caveat", "imputed": "were corrected by staff",
}  # fmt: skip


def behind(
    env: Environment, ref: str, item: str, *, answer: str = "", which: str = "answered",
    narrowed: Narrowed = EVERYBODY, actor: Actor, now: datetime | None = None,
) -> Drilled:  # fmt: skip
    """Return the cases behind a figure that this person may open. Raises CaseNotFound or BadInput."""
    with looking(env, ref, actor=actor, now=now) as sight:
        questionnaire = questionnaire_of(sight)
        known = {each.key: each for listed in items(questionnaire).values() for each in listed}
        if which not in WHICH or (item not in known and item not in questionnaire.by_id):
            raise BadInput("There is no such figure in these results.")
        one = known.get(item) or next(each for each in known.values() if each.question == item)
        lines = [
            Behind(each.case, each.member, each.member_ref, each.groups["team"], told)
            for each in everybody(sight, named=True)
            if each.response is not None and narrowed.holds(each.groups)
            and (told := _matches(each.response, one, answer, which)) is not None
        ]  # fmt: skip
        label = dict(one.choices).get(answer, answer)
        words = f"{questionnaire.by_id[one.question].text} {one.label}".strip()
        told = f"{words}: {label}" if label else words
        return Drilled(sight.row.ref, sight.row.subject, told, WHICH[which], lines)


def _matches(response: Response, item: Item, answer: str, which: str) -> str | None:
    """Return what a member answered where it stands behind the figure, else None; texts are not told here."""
    name = item.question
    excluded, given = name in response.excluded, name in response.answers
    if which == "excluded":
        return "" if excluded else None
    if excluded:
        return None
    if which in ("unanswered", "not-asked"):
        return "" if not given and (name in response.asked) == (which == "unanswered") else None
    if not given or (which == "imputed" and name not in response.imputed):
        return None
    value = item.read(response.answers[name])
    if value is None or (answer and answer != value and not (isinstance(value, tuple) and answer in value)):
        return None
    return _told(item, value)


def _told(item: Item, value: Any) -> str:
    if item.kind == "number":
        return f"{value:,.10g} {item.unit}".strip()
    if item.kind == "given":
        return ""
    labels = dict(item.choices)
    return ", ".join(labels.get(each, str(each)) for each in (value if isinstance(value, tuple) else (value,)))
