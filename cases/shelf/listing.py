"""The questionnaires there are, with their versions and the campaigns that use them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cases.campaigns import KINDS
from cases.commands import acts_for
from cases.environment import Environment, world
from cases.permissions import visible
from cases.questionnaires import SHIPPED
from cases.shelf.keeping import read, versions
from cases.shelf.reading import NotUsable
from cases.tables import CaseRow
from config.database import reading
from state_machines.registry import process_named
from state_machines.values import Actor
from surveys.questionnaire import Questionnaire

MOST_CAMPAIGNS = 500


@dataclass(frozen=True)
class Use:
    """A campaign that asks these questions."""

    ref: str
    title: str
    state: str
    version: int


@dataclass(frozen=True)
class OnShelf:
    """A questionnaire one can plan with."""

    name: str
    questionnaire: Questionnaire | None
    problems: tuple[str, ...]
    """Why the file cannot be used, where it cannot."""
    own: bool
    """Whether it is the organisation's own, not one that comes with Muster."""
    versions: tuple[int, ...]
    uses: tuple[Use, ...]

    @property
    def title(self) -> str:
        """What it is called."""
        return self.questionnaire.title if self.questionnaire else self.name

    @property
    def questions(self) -> int:
        """How many questions somebody answers."""
        asked = self.questionnaire.questions if self.questionnaire else ()
        return sum(question.type != "calculate" for question in asked)


def shelf(env: Environment, *, actor: Actor, now: datetime | None = None) -> list[OnShelf]:
    """Return every questionnaire by its title, with the campaigns that the viewer may see."""
    own = env.settings.home / "questionnaires"
    names = sorted({path.stem for folder in (own, SHIPPED) for path in folder.glob("*.yaml")})
    uses = _uses(env, actor, now)
    found = [_on_shelf(env, name, tuple(uses.get(name, ()))) for name in names]
    return sorted(found, key=lambda each: each.title.casefold())


def on_shelf(env: Environment, name: str, *, actor: Actor, now: datetime | None = None) -> OnShelf:
    """Return one questionnaire. Raises UnknownQuestionnaire."""
    return _on_shelf(env, name, tuple(_uses(env, actor, now).get(name, ())))


def _on_shelf(env: Environment, name: str, uses: tuple[Use, ...]) -> OnShelf:
    own = (env.settings.home / "questionnaires" / f"{name}.yaml").is_file()
    try:
        questionnaire, problems = read(env.settings, name).questionnaire, ()
    except (NotUsable, UnicodeDecodeError) as bad:
        return OnShelf(name, None, tuple(getattr(bad, "problems", [str(bad)])), own, (), uses)
    return OnShelf(name, questionnaire, problems, own, tuple(versions(env.settings, name)), uses)


def _uses(env: Environment, actor: Actor, now: datetime | None) -> dict[str, list[Use]]:
    """Return the campaigns by the questionnaire they use, the newest first; two statements with who is asked."""
    name, version = CaseRow.data["questionnaire"].astext, CaseRow.data["questionnaire_version"].astext
    with reading(env.engine) as conn:
        here = world(conn, env, now)
        rows = conn.execute(
            select(CaseRow.ref, CaseRow.subject, CaseRow.process, CaseRow.state, name.label("name"),
                   version.label("version"))
            .where(CaseRow.process.in_(sorted(KINDS.values())), name.is_not(None))
            .where(visible(actor, acts_for(actor, here))).order_by(CaseRow.id.desc()).limit(MOST_CAMPAIGNS)
        ).all()  # fmt: skip
    found: dict[str, list[Use]] = defaultdict(list)
    for row in rows:
        state = process_named(row.process).state(row.state).title
        found[row.name].append(Use(row.ref, row.subject, state, int(row.version or 0)))
    return found
