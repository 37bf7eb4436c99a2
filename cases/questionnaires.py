"""Questionnaires on disk and as they were kept: a campaign goes on with the questions it was planned with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from cases.errors import BadInput
from cases.tables import QuestionnaireRow
from config.database import Connection
from config.settings import Settings
from surveys.questionnaire import BadQuestionnaire, Questionnaire

SHIPPED = Path(__file__).parent.parent / "config" / "questionnaires"


def find(name: str, settings: Settings, beside: Path | None = None) -> Path:
    """Return the file of a questionnaire: one of the organisation's, or ours; ``beside`` a plan on disk also a path.

    Raises BadInput listing those there are.
    """
    places = [Path(name), beside / name] if beside else []
    if Path(name).name == name:
        places += [folder / f"{name}.yaml" for folder in (settings.home / "questionnaires", SHIPPED)]
    for path in places:
        if path.suffix in (".yaml", ".yml") and path.is_file():
            return path
    known = sorted(
        path.stem for folder in (settings.home / "questionnaires", SHIPPED) for path in folder.glob("*.yaml")
    )
    more = ", or give the path of a file" if beside else ""
    raise BadInput(f"There is no questionnaire {name[:200]!r}; there are {', '.join(known)}{more}.")


def keep(conn: Connection, path: Path, *, now: datetime) -> Questionnaire:
    """Return the questionnaire of a file, kept for good under its fingerprint. Raises BadInput with every problem."""
    try:
        definition: Any = yaml.safe_load(path.read_text("utf-8"))
        questionnaire = Questionnaire.parse(definition)
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadInput(f"{path.name} is not valid YAML.") from None
    except BadQuestionnaire as bad:
        raise BadInput(f"{path.name} cannot be used. {bad}") from None
    row = {
        "fingerprint": questionnaire.fingerprint(), "name": questionnaire.name, "version": questionnaire.version,
        "definition": _plain(definition), "kept_at": now,
    }  # fmt: skip
    conn.execute(insert(QuestionnaireRow).values(row).on_conflict_do_nothing())
    return questionnaire


def _plain(value: Any) -> Any:
    """YAML values as JSON can hold them: dates become ISO text, the keys yes and no become words."""
    if isinstance(value, dict):
        words = {True: "yes", False: "no"}
        return {words[k] if isinstance(k, bool) else str(k): _plain(item) for k, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def kept(conn: Connection, fingerprint: str) -> Questionnaire:
    """Return the questionnaire kept under a fingerprint. Raises BadInput when there is none."""
    found = _CACHE.get(fingerprint)
    if found is None:
        definition = conn.execute(
            select(QuestionnaireRow.definition).where(QuestionnaireRow.fingerprint == fingerprint)
        ).scalar_one_or_none()
        if definition is None:
            raise BadInput("The questionnaire of this campaign is not kept in this database.")
        found = _CACHE[fingerprint] = Questionnaire.parse(definition)
    return found


_CACHE: dict[str, Questionnaire] = {}
"""Kept questionnaires never change, so a process parses each once."""
