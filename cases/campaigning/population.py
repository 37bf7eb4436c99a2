"""Who would be asked by a campaign and who would not, and why, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import ColumnElement, func, literal, not_, select, true, union_all
from sqlalchemy.types import Text

from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.questionnaires import SHIPPED
from cases.tables import CaseRow
from config.database import reading, without_nul
from config.settings import Settings
from members import store as member_store
from members.tables import Contact, Member
from members.visibility import sees_all_teams, visible_members
from state_machines.values import Actor

PAGE = 25
MOST_VALUES = 60


@dataclass(frozen=True, slots=True)
class Chosen:
    """One member, and why they would not be asked."""

    ref: str
    name: str
    team: str | None
    reachable: bool
    why_not: str


@dataclass(frozen=True)
class Population:
    """Who would be asked today."""

    asked: int
    reachable: int
    left_out: int
    whole: bool
    """Whether the numbers are those of all teams."""
    inside: list[Chosen]
    outside: list[Chosen]
    after_inside: str | None
    after_outside: str | None


@dataclass(frozen=True, slots=True)
class Questions:
    """A questionnaire one can choose."""

    name: str
    title: str
    version: int
    questions: int


def questionnaires(settings: Settings) -> list[Questions]:
    """Return the questionnaires of the organisation and those that come with Muster; its own go before ours."""
    found: dict[str, Questions] = {}
    for folder in (settings.home / "questionnaires", SHIPPED):
        for path in sorted(folder.glob("*.yaml")):
            if (one := _head(path)) is not None:
                found.setdefault(path.stem, one)
    return sorted(found.values(), key=lambda each: each.title)


def _head(path: Path) -> Questions | None:
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
        number = sum(len(section["questions"]) for section in raw["sections"])
        title = raw["title"] if isinstance(raw["title"], str) else raw["title"][raw["languages"][0]]
        return Questions(path.stem, str(title), int(raw["version"]), number)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None  # planning with it says what is wrong


@dataclass(frozen=True, slots=True)
class InForce:
    """A document that can be asked to be signed."""

    ref: str
    title: str
    number: str
    languages: tuple[str, ...]


def in_force(env: Environment, *, actor: Actor, now: datetime | None = None) -> list[InForce]:
    """Return the documents in force that a person may see, by title; one statement beside those of the world."""
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        mine = (CaseRow.process == "code_document", CaseRow.state == "effective", visible(actor, acts_for(actor, here)))
        rows = conn.execute(select(CaseRow.ref, CaseRow.data).where(*mine).order_by(CaseRow.subject, CaseRow.id))
        return [InForce(row.ref, row.data["title"], row.data["number"], tuple(row.data["languages"])) for row in rows]


def values_of(env: Environment, *, lent: Collection[str] = (), actor: Actor) -> dict[str, list[tuple[str, int]]]:
    """Return the values members have for each criterion, with how many have it; one statement."""
    parts = []
    for name in member_store.CRITERIA:
        column = getattr(Member, name)
        where = (Member.status != "merged", column.is_not(None), visible_members(actor, lent))
        counted = select(
            literal(name, Text).label("name"), column.label("value"), func.count().label("n")
        ).where(*where).group_by(column).order_by(func.count().desc(), column).limit(MOST_VALUES)  # fmt: skip
        parts.append(select(counted.subquery()))
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in member_store.CRITERIA}
    with reading(env.engine) as conn:
        for row in conn.execute(union_all(*parts)):
            found[row.name].append((row.value, row.n))
    return {name: sorted(values) for name, values in found.items() if values}


def who_is_asked(
    env: Environment, criteria: Mapping[str, Any], *, after_inside: str = "", after_outside: str = "",
    lent: Collection[str] = (), roles: Collection[str] = (), actor: Actor,
) -> Population:  # fmt: skip
    """Return who would be asked by these criteria and who would not, a page of each. Raises Unusable.

    ``lent``: the teams this person stands in for today; ``roles``: a contact must have one of these to be asked.
    """
    criteria = without_nul(dict(criteria))
    mine = visible_members(actor, lent)
    wanted = member_store.meeting(criteria)
    contact = select(Contact.id).where(
        Contact.member_id == Member.id, Contact.status == "ok", Contact.email.is_not(None),
        *([Contact.role.in_(roles)] if roles else []),
    )  # fmt: skip
    inside: ColumnElement[bool] = true()
    for condition in wanted:
        inside = inside & func.coalesce(condition, False)
    with reading(env.engine) as conn:
        counted = conn.execute(
            select(func.count().filter(inside).label("asked"),
                   func.count().filter(inside, contact.exists()).label("reachable"), func.count().label("everybody"))
            .select_from(Member).where(mine, Member.status != "merged")
        ).one()  # fmt: skip
        columns = (*member_store.CARD_COLUMNS, contact.exists().label("reachable"))
        pages = []
        for which, after in ((inside, after_inside), (not_(inside), after_outside)):
            statement = select(*columns).where(mine, Member.status != "merged", which)
            if after:
                statement = statement.where(Member.id > _id(after))
            pages.append(list(conn.execute(statement.order_by(Member.id).limit(PAGE + 1))))
    first, second = pages
    return Population(
        counted.asked, counted.reachable, counted.everybody - counted.asked,
        sees_all_teams(actor), [_chosen(row, {}) for row in first[:PAGE]],
        [_chosen(row, criteria) for row in second[:PAGE]], _last(first), _last(second),
    )  # fmt: skip


def _id(ref: str) -> int:
    digits = ref.removeprefix("M-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


def _last(rows: list[Any]) -> str | None:
    return rows[PAGE - 1].ref if len(rows) > PAGE else None


def _chosen(row: Any, criteria: Mapping[str, Any]) -> Chosen:
    missed = [
        f"{name.capitalize()} is {getattr(row, name) or 'not set'}"
        for name, wanted in criteria.items()
        if getattr(row, name) not in ([wanted] if isinstance(wanted, str) else wanted)
    ]
    return Chosen(row.ref, row.name, row.team, row.reachable, ", ".join(missed))
