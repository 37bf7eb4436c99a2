"""What people do while a campaign runs, told to a rehearsal: through the same commands as in reality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from cases import answers, commands
from cases.environment import Environment
from cases.errors import BadInput
from cases.permissions import MAY_WRITE
from cases.tables import CaseRow
from config.clock import parse_instant
from config.database import reading, without_nul
from members import absence_commands, staff_store
from members.tables import Member
from notifications.refusals import NeverDeliverable
from notifications.transport import Mail
from state_machines.values import SYSTEM, Actor

SIGN = "sign"
MOST = 50_000
"""So many happenings a file may hold."""


@dataclass(frozen=True, order=True)
class Happening:
    """Something that somebody does, or that happens to an address, at an instant."""

    at: datetime
    what: str
    """A key of ``WAYS``, or the name of a trigger."""
    member: str = ""
    """Reference of the member whose case it is about; empty for the campaign itself."""
    by: str = ""
    """E-mail address of who on the staff does it; empty: the member does."""
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)


class DeadAddresses:
    """A mail server that takes everything but mail to addresses that do not exist any more. Nothing leaves."""

    def __init__(self) -> None:
        self.dead: set[str] = set()

    def send(self, mail: Mail) -> None:
        """Take one message. Raises NeverDeliverable for a dead address."""
        if mail.to_email.strip().lower() in self.dead:
            raise NeverDeliverable(550, "5.1.1 there is no such mailbox", bad_address=True)

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True)
class Place:
    """Where happenings happen: an environment, real or on a stage, the campaign, and the mail server."""

    env: Environment
    campaign: str
    post: DeadAddresses


def happen(place: Place, what: Happening) -> None:
    """Do it, through the command that people use. Raises what the command raises."""
    WAYS.get(what.what, _trigger)(place, what)


def _trigger(place: Place, what: Happening) -> None:
    """Any trigger of the case or of the campaign, by its name."""
    ref, member_id = _case(place, what)
    commands.fire(
        place.env, ref, what.what, payload=what.data, actor=_actor(place.env, what, member_id), now=what.at
    )  # fmt: skip


def _answer(place: Place, what: Happening) -> None:
    """The member does what the campaign asks: submits answers, those given or made-up ones that fit, or signs."""
    ref, member_id = _case(place, what)
    with reading(place.env.engine) as conn:
        row = conn.execute(
            select(CaseRow.process, CaseRow.data, Member.name)
            .join(Member, Member.id == CaseRow.member_id).where(CaseRow.ref == ref)
        ).one()  # fmt: skip
    if row.process == answers.PROCESS:
        _written(place, what, submitting=True)
        return
    payload = {**_signature(row.data, row.name), **what.data.get("signature", {})}
    commands.fire(place.env, ref, SIGN, payload=payload, actor=answers.member_actor(member_id), now=what.at)


def _signature(data: Mapping[str, Any], member: str) -> dict[str, Any]:
    """A signature as somebody would give it who may: no evidence is kept of it, which would be a file."""
    texts = dict(data.get("document_languages") or {})
    language = str(data.get("authoritative") or next(iter(texts), "en"))
    return {
        "document_sha256": texts.get(language, ""), "language": language, "name": "Sam Sample", "position": "Director",
        "legal_name": member, "intent": True, "consent": "Agreed to in a rehearsal", "role_fits": True,
        "domain_fits": True,
    }  # fmt: skip


def _save(place: Place, what: Happening) -> None:
    """The member saves answers without submitting them."""
    _written(place, what, submitting=False)


def _written(place: Place, what: Happening, *, submitting: bool) -> None:
    ref, _ = _case(place, what)
    raw = what.data.get("answers") or answers.sample_for(place.env, ref, seed=int(what.data.get("seed", 0)))
    answers.submit(place.env, ref, raw, submitting=submitting, now=what.at)


def _dies(place: Place, what: Happening) -> None:
    """From now on mail to an address comes back for good."""
    place.post.dead.add(str(what.data["address"]).strip().lower())


def _automatic_reply(place: Place, what: Happening) -> None:
    """An automatic reply is noted; it answers nothing and stops nothing."""
    ref, _ = _case(place, what)
    commands.note(place.env, ref, "Automatic reply", actor=SYSTEM_BY_HAND, now=what.at)


def _absence(place: Place, what: Happening) -> None:
    """Somebody on the staff is recorded as away."""
    given = what.data
    first, last = _day(given["from"]), _day(given["until"])
    absence_commands.set_absence(
        place.env.engine, str(given["who"]), first, last, deputy=given.get("deputy"), actor=SYSTEM, now=what.at
    )


SYSTEM_BY_HAND = Actor("system:rehearsal", "Rehearsal", SYSTEM.roles | MAY_WRITE)
"""Who does what people would have to do, where no person is named."""
WAYS: dict[str, Callable[[Place, Happening], None]] = {
    "answer": _answer, "save_answers": _save, "address_dies": _dies, "automatic_reply": _automatic_reply,
    "absence": _absence,
}  # fmt: skip


def _case(place: Place, what: Happening) -> tuple[str, int]:
    """The reference of the case it is about, and its member."""
    if not what.member:
        return place.campaign, 0
    with reading(place.env.engine) as conn:
        campaign = select(CaseRow.id).where(CaseRow.ref == place.campaign).scalar_subquery()
        found = conn.execute(
            select(CaseRow.ref, CaseRow.member_id).join(Member, Member.id == CaseRow.member_id)
            .where(CaseRow.parent_id == campaign, Member.ref == what.member)
        ).one_or_none()  # fmt: skip
    if found is None:
        raise BadInput(f"{what.member} is not asked in this campaign at that time.")
    return found.ref, found.member_id


def _actor(env: Environment, what: Happening, member_id: int) -> Actor:
    if not what.by:
        return answers.member_actor(member_id) if member_id else SYSTEM_BY_HAND
    with reading(env.engine) as conn:
        staffing = staff_store.staffing(conn)
    person = staffing.by_email(what.by)
    if person is None or not person.active:
        raise BadInput(f"There is nobody active on the staff with the address {what.by}.")
    return staffing.actor(person.id)


def _day(given: Any) -> date:
    return given if isinstance(given, date) else date.fromisoformat(str(given))


def read_happenings(path: Path, env: Environment) -> list[Happening]:
    """Return the happenings of a YAML file, the earliest first. Raises BadInput with a sentence that names the line.

    A list of ``{at, what, member, by, …}``; whatever else a line has is its data, as the command takes it.
    """
    try:
        lines = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise BadInput(f"{path.name} cannot be read as a list of happenings in YAML.") from None
    if not isinstance(lines, list) or len(lines) > MOST:
        raise BadInput(f"{path.name} must hold a list of at most {MOST:,} happenings, each with “at” and “what”.")
    return sorted(_read(number, line, env) for number, line in enumerate(lines, 1))


def _read(number: int, line: Any, env: Environment) -> Happening:
    if not isinstance(line, dict) or not {"at", "what"} <= line.keys():
        raise BadInput(f"Happening {number} needs “at” and “what”.")
    given = dict(without_nul(line))
    try:
        at = parse_instant(str(given.pop("at")), env.settings.zone)
    except ValueError as bad:
        raise BadInput(f"Happening {number}: {bad}") from None
    names = {name: str(given.pop(name, "") or "") for name in ("what", "member", "by")}
    return Happening(at, **names, data=given)


def of_campaign(happenings: Sequence[Happening], *, since: datetime) -> list[Happening]:
    """Return what is still to happen, the earliest first."""
    return sorted(each for each in happenings if each.at >= since)
