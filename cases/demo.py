"""The sample organisation of ``muster demo``: made-up members and staff, and a history that really took place.

Nothing is written by hand. The stories in ``config/sample`` say who did what, so many working days ago; they are told
here day by day through the same commands that people use, with every sweep and delivery that comes due between. Mail
is kept in the outbox and sent to nobody.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, select

from cases import answers, campaigns, commands, installation
from cases.delivering import deliver
from cases.environment import Environment
from cases.errors import BadInput, TransitionRefused
from cases.sample_signing import bring_out, give_signature, signatory_of
from cases.sweep import sweep_due
from cases.tables import CaseRow
from config.clock import set_sandbox
from config.database import reading, transaction
from config.tables import SANDBOX
from members import store as member_store
from members.commands import add_staff, declare_conflict, set_absence, set_team
from members.contact_commands import save_contact
from members.importing import import_members
from members.tables import Member, Staff
from notifications.refusals import NeverDeliverable
from notifications.tables import MessageRow
from notifications.transport import Mail
from state_machines.values import SYSTEM, Actor

SAMPLE = Path(__file__).parent.parent / "config" / "sample"
START_OF_DAY = time(9, 0)
FIRST_DAY = "-80wd"
DOMAIN = "association.example"
MINUTE = timedelta(minutes=1)
QUERY = "Please check this answer, and tell us where the figure comes from."

Progress = Callable[..., None]


class NoSandbox(BadInput):
    """Made-up members belong into a sandbox, and this is a production database."""


class HalfLoaded(BadInput):
    """Loading the sample was interrupted here, so it is not complete; start anew in an empty sandbox."""


@dataclass
class KeepingTransport:
    """Sends nothing: the outbox keeps every mail as it was written. Some addresses come back, as in real life."""

    dead: Mapping[str, datetime]
    now: datetime | None = None
    count: int = 0

    def send(self, mail: Mail) -> None:
        """Take a mail. Raises NeverDeliverable for an address that exists no more."""
        since = self.dead.get(mail.to_email.lower())
        if since is not None and self.now is not None and self.now >= since:
            raise NeverDeliverable(550, "5.1.1 there is no such mailbox", bad_address=True)
        self.count += 1

    def close(self) -> None:
        """There is no conversation to end."""


def load_sample(env: Environment, *, progress: Progress | None = None, now: datetime | None = None) -> dict[str, Any]:
    """Fill an empty sandbox with the sample organisation and return counts; its clock stands at today, 09:00.

    Does nothing when it is loaded already. Raises NoSandbox, or HalfLoaded where an earlier loading was interrupted.
    """
    settings = _read("organisation.yaml")
    with reading(env.engine) as conn:
        if installation.kind(conn) != SANDBOX:
            raise NoSandbox
        known = conn.execute(select(Staff.id).where(Staff.email == f"amara@{DOMAIN}")).first()
        last = conn.execute(select(CaseRow.id).where(CaseRow.external_ref == settings["last_of_all"])).first()
    if last is None:
        if known is not None:
            raise HalfLoaded
        _Telling(env, env.calendar.local_date(now or env.now()), progress or _silent).tell(settings)
    return _counts(env)


def _silent(*_: object) -> None:
    """Tell nobody how far it is."""


def _read(name: str) -> Any:
    return yaml.safe_load((SAMPLE / name).read_text("utf-8"))


def _counts(env: Environment) -> dict[str, Any]:
    with reading(env.engine) as conn:
        by_process = conn.execute(select(CaseRow.process, func.count()).group_by(CaseRow.process)).tuples().all()
        mails = conn.execute(select(func.count()).select_from(MessageRow).where(MessageRow.state == "sent"))
        members = conn.execute(select(func.count()).select_from(Member))
        staff = conn.execute(select(func.count()).select_from(Staff))
        return {
            "members": members.scalar_one(), "staff": staff.scalar_one(),
            "cases": sum(number for _, number in by_process), "mails": mails.scalar_one(),
            "by_process": dict(sorted(by_process)),
        }  # fmt: skip


@dataclass(frozen=True)
class _Step:
    """Something somebody did once."""

    at: datetime
    story: Mapping[str, Any]
    what: Mapping[str, Any]
    does: Callable[[_Step], None]


@dataclass
class _Telling:
    """The history, being told: where its clock stands, who is who, and what came of the stories so far."""

    env: Environment
    today: date
    progress: Progress
    staff: dict[str, int] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    transport: KeepingTransport = field(default_factory=lambda: KeepingTransport({}))

    def tell(self, settings: Mapping[str, Any]) -> None:
        """Tell everything from the first day to today, 09:00, and leave the clock there."""
        end = self.env.calendar.at(self.today, START_OF_DAY)
        self.transport.dead = {address: self.instant(since) for address, since in settings["dead_addresses"].items()}
        here = self.instant(f"{FIRST_DAY} 09:00")
        self._found_organisation(settings, here)
        steps = sorted(self._steps(), key=lambda step: step.at)
        for number, step in enumerate(steps):
            if step.at >= end:
                raise BadInput(f"A step of the sample lies ahead: {step.what}")
            here = self._time_passes(here, step.at)
            step.does(step)
            self._deliver(step.at)
            self.progress(number + 1, len(steps))
        self._time_passes(here, end)
        with transaction(self.env.engine) as conn:
            set_sandbox(conn, end)

    # ----------------------------------------------------------------------------------------------- time

    def day(self, text: str) -> date:
        """Return the day that ``-12wd`` means: so many working days before, or after, today."""
        return self.env.calendar.add_working_days(self.today, int(text.removesuffix("wd")))

    def instant(self, text: str) -> datetime:
        """Return the instant that ``-12wd 14:30`` means; without a time of day it is 09:00."""
        words, _, hour = text.partition(" ")
        return self.env.calendar.at(self.day(words), time.fromisoformat(hour) if hour else START_OF_DAY)

    def _time_passes(self, here: datetime, until: datetime) -> datetime:
        """Sweep and deliver at every instant at which something comes due."""
        while (then := self._next_due(here)) is not None and then <= until:
            here = then
            sweep_due(self.env, now=here)
            self._deliver(here)
        return until

    def _next_due(self, here: datetime) -> datetime | None:
        """Return the next instant at which something is due, a minute on at least: nothing is tried twice at once."""
        with reading(self.env.engine) as conn:
            due = conn.execute(select(func.min(CaseRow.due_at))).scalar_one()
            mail = conn.execute(select(func.min(MessageRow.not_before)).where(MessageRow.state == "queued"))
            found = [moment for moment in (due, mail.scalar_one()) if moment is not None]
        return max(min(found), here + MINUTE) if found else None

    def _deliver(self, at: datetime) -> None:
        self.transport.now = at
        deliver(self.env, transport=self.transport, now=at)

    # ------------------------------------------------------------------------------------------- the people

    def _found_organisation(self, settings: Mapping[str, Any], now: datetime) -> None:
        engine = self.env.engine
        for key, who in settings["staff"].items():
            boss = f"{who['manager']}@{DOMAIN}" if "manager" in who else None
            added = add_staff(engine, who["name"], f"{key}@{DOMAIN}", who["roles"], team=who.get("team"), manager=boss,
                              actor=SYSTEM, now=now)  # fmt: skip
            self.staff[key] = added.id
        for name, team in settings["teams"].items():
            set_team(engine, name, team["covers"], lead=f"{team['lead']}@{DOMAIN}", actor=SYSTEM, now=now)
        report = import_members(engine, SAMPLE / "members.csv", settings["members"], leaving_share=1, leaving_count=0,
                                actor=SYSTEM, now=now)  # fmt: skip
        if report.refused:
            raise BadInput(f"A made-up member was refused: {report.refused[0].why}")
        for number in settings["signatories"]:
            self._signs(number, now)
        for each in settings["conflicts"]:
            declare_conflict(engine, f"{each['who']}@{DOMAIN}", each["member"], each["note"], actor=SYSTEM, now=now)
        away = settings["away_this_week"]
        monday = self.today - timedelta(days=self.today.weekday())
        set_absence(engine, f"{away['who']}@{DOMAIN}", monday, monday + timedelta(days=4), reason=away["reason"],
                    deputy=f"{away['deputy']}@{DOMAIN}", actor=SYSTEM, now=now)  # fmt: skip

    def _signs(self, number: str, now: datetime) -> None:
        """Let the last contact of a member be the one who signs for it."""
        with reading(self.env.engine) as conn:
            card = member_store.find_by_ref(conn, number)
            last = member_store.contacts_of(conn, [card.id])[card.id][-1]
        save_contact(self.env.engine, number, {"role": "signatory"}, contact_id=last.id, actor=SYSTEM, now=now)

    def actor(self, who: str, step: _Step) -> Actor:
        """Return who acts: the member of the story, or somebody of the staff; whoever is away has a deputy."""
        with reading(self.env.engine) as conn:
            if who == "member":
                return answers.member_actor(member_store.find_by_ref(conn, step.story["member"]).id)
            staffing, number = member_store.staffing(conn), self.staff[who]
            there = staffing.acting(number, self.env.calendar.local_date(step.at)).staff
            return staffing.actor(there.id, on_behalf_of=number)

    # ---------------------------------------------------------------------------------------------- stories

    def _steps(self) -> Iterator[_Step]:
        for story in _read("stories.yaml"):
            for what in story["steps"]:
                yield _Step(self.instant(what["at"]), story, what, self._open if "open" in what else self._fire)
        told = _read("campaigns.yaml")
        for story in told["documents"]:
            for what in story["steps"]:
                yield _Step(self.instant(what["at"]), story, what, self._document if "document" in what else self._fire)
        for story in told["campaigns"]:
            for what in story["steps"]:
                yield _Step(self.instant(what["at"]), story, what, self._plan if "plan" in what else self._fire)
            yield from self._answers(story)

    def _answers(self, story: Mapping[str, Any]) -> Iterator[_Step]:
        launch = story["steps"][0]["plan"]["launch"].removeprefix("@").removesuffix("wd")
        given = story.get("answers") or story.get("signs") or {}
        for minute, (number, what) in enumerate(given.items()):
            response = {"campaign": story["key"], "member": number, "key": f"{story['key']}/{number}"}
            came = self.instant(f"{int(launch) + what['later']}wd 10:00") + timedelta(minutes=5 * minute)
            yield _Step(came, response, what, self._sign if story.get("signs") else self._answer)

    def _filled(self, value: Any) -> Any:
        """Return a form with its dates, people and cases put in: ``@-5wd``, ``@staff:bo``, ``@ref:code-3``."""
        if isinstance(value, Mapping):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if not isinstance(value, str) or not value.startswith("@"):
            return value
        kind, _, name = value[1:].partition(":")
        if kind == "staff":
            return f"staff:{self.staff[name]}"
        if kind == "ref":
            return self.refs[name]
        return self.instant(value[1:]).isoformat() if " " in value else self.day(value[1:]).isoformat()

    def _open(self, step: _Step) -> None:
        story = step.story
        actor = self.actor(step.what["by"], step)
        outcome = commands.open_one(
            self.env, story["process"], member=story.get("member"), subject=story["subject"],
            payload=self._filled(step.what["open"]), external_ref=story.get("external_ref"), actor=actor, now=step.at,
        )  # fmt: skip
        self.refs[story["key"]] = outcome.after.ref

    def _document(self, step: _Step) -> None:
        said, actor = self._filled(step.what["document"]), self.actor(step.what["by"], step)
        self.refs[step.story["key"]] = bring_out(self.env, said, SAMPLE, actor=actor, now=step.at)

    def _plan(self, step: _Step) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plan.yaml"
            path.write_text(yaml.safe_dump(self._filled(step.what["plan"]), allow_unicode=True), "utf-8")
            outcome = campaigns.plan(self.env, path, actor=self.actor(step.what["by"], step), now=step.at)
        self.refs[step.story["key"]] = outcome.after.ref

    def _fire(self, step: _Step) -> None:
        if step.story.get("found") and step.story["key"] not in self.refs:
            self.refs[step.story["key"]] = self._newest(step.story)
        self._do(step, step.what["do"], step.what["by"], self._filled(step.what.get("with", {})))

    def _newest(self, story: Mapping[str, Any]) -> str:
        """Return the reference of a case that another case opened for the member."""
        with reading(self.env.engine) as conn:
            card = member_store.find_by_ref(conn, story["member"])
            its = select(CaseRow.ref).where(CaseRow.process == story["process"], CaseRow.member_id == card.id)
            return conn.execute(its.order_by(CaseRow.id.desc()).limit(1)).scalar_one()

    def _do(self, step: _Step, trigger: str, who: str, form: Mapping[str, Any], *, minutes: int = 0) -> None:
        actor, at = self.actor(who, step), step.at + timedelta(minutes=minutes)
        try:
            commands.fire(self.env, self.refs[step.story["key"]], trigger, payload=form, note=step.what.get("note"),
                          actor=actor, now=at)  # fmt: skip
        except TransitionRefused as bad:
            told = f"{step.story['key']}: {trigger} by {who}: {bad}"
            raise BadInput(f"The sample does not hold. {told} {dict(bad.errors)}") from bad

    # ---------------------------------------------------------------------------------------------- answers

    def _answer(self, step: _Step) -> None:
        """Let a member answer, or do what comes before an answer."""
        key, then = step.story["key"], step.what["then"]
        self.refs[key], owner = self._response(step.story)
        if then in ("opened", "saved"):
            self._do(step, "view", "member", {})
        elif then == "exemption":
            details = {
                "exemption": "force_majeure",
                "details": "A flood has closed the gin, the office and the archive.",
            }
            self._do(step, "request_exemption", "member", details)
        if then in ("opened", "exemption"):
            return
        raw = answers.sample_for(self.env, self.refs[key], seed=int(key[-3:]), poor=then == "query")
        raw["respondent"] = {**raw["respondent"], "role": raw["respondent"]["role"] or "Assistant to the board"}
        receipt = answers.submit(self.env, self.refs[key], raw, submitting=then != "saved", now=step.at)
        flags = [f"{flag.rule.value}:{flag.question or 'form'}" for flag in receipt.flags]
        if then == "complete":
            self._complete(step, owner, flags)
        elif then == "query":
            asked = [{"question": flag.split(":", 1)[1], "text": QUERY} for flag in flags[:3]]
            self._do(step, "query", owner, {"questions": asked}, minutes=3)

    def _sign(self, step: _Step) -> None:
        """Let a member sign, or do something else about it."""
        key, then = step.story["key"], step.what.get("then", "signed")
        self.refs[key], owner = self._response(step.story)
        self._do(step, "view", "member", {"language": "en"})
        if then == "refused":
            name = signatory_of(self.env, step.story["member"]).name
            self._do(step, "refuse", "member", {"statement": "Our board does not agree to clause 4.", "name": name})
        elif then != "viewed":
            give_signature(self.env, self.refs[key], step.story["member"], "wrong" if then == "checked" else then,
                           now=step.at + MINUTE)  # fmt: skip
        if then == "checked":
            self._do(step, "accept_signature", owner, {"reason": "Holds a power of attorney."}, minutes=5)

    def _response(self, story: Mapping[str, Any]) -> tuple[str, str]:
        """Return the reference of a member's response and the coordinator who owns it."""
        parent = select(CaseRow.id).where(CaseRow.ref == self.refs[story["campaign"]]).scalar_subquery()
        with reading(self.env.engine) as conn:
            card = member_store.find_by_ref(conn, story["member"])
            row = conn.execute(
                select(CaseRow.ref, CaseRow.coordinator_id).where(
                    CaseRow.parent_id == parent, CaseRow.member_id == card.id
                )
            ).one()
        return row.ref, next(key for key, number in self.staff.items() if number == row.coordinator_id)

    def _complete(self, step: _Step, owner: str, flags: list[str]) -> None:
        """Look an answer over and take it; of some a second person reads it first."""
        form = {
            "dismissed": [{"flag": flag, "reason": "Explained in the comments; it fits last year."} for flag in flags]
        }
        try:
            self._do(step, "complete", owner, form, minutes=4)
        except BadInput:
            self._do(step, "second_check", "max" if owner == "amara" else "mina", {"agreed": True}, minutes=4)
            self._do(step, "complete", owner, form, minutes=4)
