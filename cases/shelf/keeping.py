"""Putting a questionnaire among the organisation's own, as a new version of itself; older ones stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import select

from cases.environment import Environment, world
from cases.errors import CaseNotFound, NotAllowed
from cases.questionnaires import SHIPPED
from cases.shelf.reading import Brought, NotUsable, parsed, read_file
from cases.tables import QuestionnaireRow
from config.database import reading
from config.locks import locked
from config.settings import Settings
from state_machines.values import Actor, Role
from surveys.questionnaire import Questionnaire

MAY_UPLOAD = frozenset({Role.MANAGER, Role.SENIOR, Role.ADMINISTRATOR})
"""Who may bring a questionnaire; every member of staff may read them."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)


class UnknownQuestionnaire(CaseNotFound):
    """There is no such questionnaire, or not that version of it:"""


@dataclass(frozen=True)
class Kept:
    """What became of a file: the questionnaire it is now, and what there is to say about it."""

    questionnaire: Questionnaire
    new: bool
    """False where the newest version says the same already."""
    said: int
    """The version that the file gave itself."""
    ignored: tuple[str, ...]
    remarks: tuple[str, ...]


def keep_file(env: Environment, content: bytes, name: str, *, actor: Actor, now: datetime | None = None) -> Kept:
    """Keep the questionnaire of a file as the newest version of itself, and return what became of it.

    A version that is there already is never overwritten: the new one gets the next number. Raises NotUsable with a
    sentence per problem, NotAllowed.
    """
    if not actor.roles & MAY_UPLOAD:
        raise NotAllowed("Only a manager or an administrator brings questionnaires.")
    brought = read_file(content, name)
    with reading(env.engine) as conn:
        day = env.calendar.local_date(world(conn, env, now).now)
        known = select(QuestionnaireRow.version).where(QuestionnaireRow.name == brought.questionnaire.name)
        used = set(conn.execute(known).scalars())
    return _kept(env.settings, brought, used, f"Brought by {actor.name} on {day.isoformat()}, from {name[:100]}.")


def _kept(settings: Settings, brought: Brought, used: set[int], remark: str) -> Kept:
    questionnaire, said = brought.questionnaire, brought.questionnaire.version
    own = settings.home / "questionnaires"
    (own / "versions").mkdir(parents=True, exist_ok=True)
    with locked(own / "versions" / "lock"):
        there = versions(settings, questionnaire.name)
        newest = _newest(settings, questionnaire.name)
        if newest is not None and _same(newest, questionnaire):
            return Kept(newest, False, said, brought.ignored, tuple(brought.remarks))
        taken = {*there, *used}
        numbered = brought.numbered(said if said > max(taken, default=0) else max(taken) + 1)
        text = f"# {' '.join(remark.split())}\n{numbered.text}"
        _archive_present(own, questionnaire.name)
        _write(own / "versions" / f"{questionnaire.name}.{numbered.questionnaire.version}.yaml", text)
        _write(own / f"{questionnaire.name}.yaml", text)
    return Kept(numbered.questionnaire, True, said, brought.ignored, tuple(brought.remarks))


def _same(one: Questionnaire, other: Questionnaire) -> bool:
    return {**one.definition(), "version": 0} == {**other.definition(), "version": 0}


def _archive_present(own: Path, name: str) -> None:
    """Put the present file of a questionnaire among the versions, if somebody wrote it there by hand."""
    present = own / f"{name}.yaml"
    if not present.is_file():
        return
    text = present.read_text("utf-8")
    try:
        number = parsed(text, present.name).version
    except NotUsable:
        return
    if not (kept := own / "versions" / f"{name}.{number}.yaml").exists():
        _write(kept, text)


def _write(path: Path, text: str) -> None:
    """Write a file so that it is whole at every instant."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".new", delete=False) as draft:
        draft.write(text)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(path)


def versions(settings: Settings, name: str) -> Mapping[int, Path]:
    """Return the files of a questionnaire by version, the newest first; empty where there is none."""
    if not _NAME.fullmatch(name):
        return {}
    own = settings.home / "questionnaires"
    found: dict[int, Path] = {}
    for path in (SHIPPED / f"{name}.yaml", own / f"{name}.yaml"):
        if path.is_file() and (number := _version_of(path)) is not None:
            found[number] = path
    for path in (own / "versions").glob(f"{name}.*.yaml"):
        number_text = path.name[len(name) + 1 : -len(".yaml")]
        if number_text.isascii() and number_text.isdigit():
            found[int(number_text)] = path
    return dict(sorted(found.items(), reverse=True))


def _version_of(path: Path) -> int | None:
    try:
        return parsed(path.read_text("utf-8"), path.name).version
    except (NotUsable, OSError, UnicodeDecodeError):
        return None


def _newest(settings: Settings, name: str) -> Questionnaire | None:
    for folder in (settings.home / "questionnaires", SHIPPED):
        path = folder / f"{name}.yaml"
        if path.is_file():
            try:
                return parsed(path.read_text("utf-8"), path.name)
            except NotUsable:
                return None
    return None


def read(settings: Settings, name: str, version: int | None = None) -> Brought:
    """Return a questionnaire, the version that a campaign planned now would use unless another is named.

    Raises UnknownQuestionnaire, or NotUsable where its file is broken.
    """
    if not _NAME.fullmatch(name):
        raise UnknownQuestionnaire(name[:80])
    present = [folder / f"{name}.yaml" for folder in (settings.home / "questionnaires", SHIPPED)]
    path = next((each for each in present if each.is_file()), None)
    if version is not None:
        path = versions(settings, name).get(version)
    if path is None:
        raise UnknownQuestionnaire(name)
    text = path.read_text("utf-8")
    return Brought(parsed(text, path.name), text)
