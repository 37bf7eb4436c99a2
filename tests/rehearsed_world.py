"""A world of many small campaigns, drawn by Hypothesis, that is rehearsed one by one and then really lived."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from cases import campaigns, commands
from cases.delivering import deliver
from cases.environment import Environment
from cases.errors import CaseError
from cases.rehearsing.happenings import DeadAddresses, Happening, Place, happen
from cases.rehearsing.rehearsal import rehearse
from cases.rehearsing.values import FILE, Wish
from cases.sandbox_time import next_due
from cases.sweep import sweep_due
from config.database import transaction
from members import store as member_store
from members.absence_commands import set_absence
from members.errors import MembersError
from notifications.links import without_keys
from state_machines.calendars import Calendar
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast

FIRST = date(2026, 3, 2)
LAST = date(2026, 6, 30)
"""Easter and the May bank holidays lie between, and the change to summer time."""
STAFF = ("Amara", "Bo", "Mina", "Max", "Sol")
_NOT_KNOWN_BEFORE = re.compile(r"\b(?:S[CR]-\d{4}-\d{6,}|[0-9a-f]{64})\b")
"""References that are given at the launch, and digests of what holds one."""
Sent = tuple[str, str, str, str, str]
"""The minute, the kind, the receiver, the subject, the text."""

days = st.integers(0, 75)
minutes = st.builds(time, st.integers(6, 20), st.integers(0, 59))


@dataclass(frozen=True)
class Deed:
    """Something that happens so many days after the launch."""

    after: int
    at: time
    what: str
    member: int
    data: dict[str, Any] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True)
class DrawnCampaign:
    """A campaign, its members, and what they and the staff do."""

    launch: int
    length: int
    teams: tuple[str, ...]
    contacts: tuple[tuple[str, ...], ...]
    """For each member the roles of its contacts, in order."""
    deeds: tuple[Deed, ...]
    rehearsed_after: int | None
    """So many days after the launch; None: while it is only planned."""


@dataclass(frozen=True)
class World:
    """Campaigns, and what is common to them all."""

    campaigns: tuple[DrawnCampaign, ...]
    absences: tuple[tuple[str, int, int, str | None], ...]
    closures: frozenset[date]


def _deeds(members: int) -> st.SearchStrategy[tuple[Deed, ...]]:
    member = st.integers(0, members - 1)
    plain = {
        "view": {}, "answer": {}, "save_answers": {}, "automatic_reply": {},
        "request_exemption": {"exemption": "suspended", "details": "As written"},
        "refuse": {"in_writing": True, "statement": "We will not answer this."}, "address_dies": {},
    }  # fmt: skip
    by_staff = {
        "log_call": ("amara", {"outcome": "voicemail"}), "nudge": ("bo", {}), "bounce": ("amara", {"status": "5.1.1"}),
        "approve_exemption": ("max", {"reason": "As agreed"}), "decline_exemption": ("max", {"reason": "No ground"}),
        "contact_repaired": ("amara", {}), "withhold": ("mina", {"reason": "We talk to them"}),
        "fail": ("mina", {"reason": "No answer came"}),
    }  # fmt: skip
    own = st.builds(
        lambda d, t, w, m: Deed(d, t, w, m, dict(plain[w])), days, minutes, st.sampled_from([*plain]), member
    )
    theirs = st.builds(
        lambda d, t, w, m: Deed(d, t, w, m, dict(by_staff[w][1]), f"{by_staff[w][0]}@muster.example"),
        days, minutes, st.sampled_from([*by_staff]), member,
    )  # fmt: skip
    promise = st.builds(
        lambda d, t, m, n: Deed(d, t, "log_call", m, {"outcome": "promised", "promised_on": n}, "amara@muster.example"),
        days, minutes, member, st.integers(0, 20),
    )  # fmt: skip
    more_time = st.builds(
        lambda d, t, m, n: Deed(d, t, "extend", m, {"until": n, "reason": "They asked"}, "mina@muster.example"),
        days, minutes, member, st.integers(1, 30),
    )  # fmt: skip
    return st.lists(st.one_of(own, theirs, promise, more_time), max_size=3 * members).map(tuple)


@st.composite
def _campaigns(draw: st.DrawFn) -> DrawnCampaign:
    members = draw(st.integers(1, 4))
    roles = st.lists(st.sampled_from(["primary", "deputy", "signatory", "executive"]), min_size=1, max_size=3)
    reached = draw(st.lists(roles.map(tuple), min_size=members, max_size=members))
    if draw(st.integers(0, 9)) == 9:
        reached[0] = ()
    return DrawnCampaign(
        draw(st.integers(1, 20)), draw(st.integers(8, 45)),
        tuple(draw(st.lists(st.sampled_from(["North", "South"]), min_size=members, max_size=members))),
        tuple(reached), draw(_deeds(members)), draw(st.none() | st.integers(1, 60)),
    )  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn, most: int) -> World:
    """Draw a world of so many campaigns; the simplest, with which Hypothesis always begins, has none."""
    size = most if draw(st.integers(0, 999)) else 0
    away = st.tuples(
        st.sampled_from(STAFF), st.integers(0, 120), st.integers(0, 20), st.none() | st.sampled_from(STAFF)
    )
    closed = st.integers(0, (LAST - FIRST).days).map(lambda n: FIRST + timedelta(days=n))
    return World(
        tuple(draw(st.lists(_campaigns(), min_size=size, max_size=size))),
        tuple(draw(st.lists(away, max_size=4))), draw(st.frozensets(closed, max_size=8)),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------- living in it


@dataclass
class Planned:
    """A campaign as it really is."""

    ref: str
    launch: date
    happenings: list[Happening]
    rehearse_at: datetime
    foreseen: list[Sent] | None = None


@dataclass
class Lived:
    """A world in a database, and what was foreseen of it."""

    cast: Cast
    world: World
    post: DeadAddresses = field(default_factory=DeadAddresses)
    planned: list[Planned] = field(default_factory=list)
    swept: datetime | None = None

    @property
    def env(self) -> Environment:
        """The real one."""
        return self.cast.env

    def begin(self) -> None:
        """Plan all campaigns and record the absences, on the first day."""
        for who, after, length, deputy in self.world.absences:
            first = FIRST + timedelta(days=after)
            stand_in = f"{deputy.lower()}@muster.example" if deputy else None
            try:
                set_absence(
                    self.env.engine, f"{who.lower()}@muster.example", first, first + timedelta(days=length),
                    deputy=stand_in, actor=SYSTEM, now=MONDAY,
                )  # fmt: skip
            except MembersError:
                continue  # it overlaps another, or nobody would stand in: then it is not recorded
        for number, drawn in enumerate(self.world.campaigns):
            self.planned.append(self._plan(number, drawn))

    def _plan(self, number: int, drawn: DrawnCampaign) -> Planned:
        refs = self._members(number, drawn)
        launch = FIRST + timedelta(days=drawn.launch)
        plan = {
            "kind": "survey", "title": f"Pulse {number}", "questionnaire": "pulse", "launch": launch.isoformat(),
            "deadline": (launch + timedelta(days=drawn.length)).isoformat(), "ladder": "standard",
            "population": {"category": [f"c{number}"]},
        }  # fmt: skip
        done = campaigns.plan_campaign(self.env, plan, actor=self.cast.actor("Mina"), now=MONDAY)
        start = MONDAY if drawn.rehearsed_after is None else self._at(launch, drawn.rehearsed_after, time(5, 30))
        found = Planned(done.after.ref, launch, sorted(self._happenings(number, drawn, launch, refs)), start)
        if drawn.rehearsed_after is None:
            self._rehearse(found)
        commands.fire(
            self.env, found.ref, "approve_plan", payload={"data_protection_checked": True},
            actor=self.cast.actor("Max"), now=MONDAY,
        )  # fmt: skip
        commands.fire(
            self.env, found.ref, "skip_pilot", payload={"reason": "Asked before"}, actor=self.cast.actor("Max"),
            now=MONDAY,
        )  # fmt: skip
        return found

    def _members(self, number: int, drawn: DrawnCampaign) -> list[str]:
        rows = [{"name": f"Łódź Mills {number}.{n}", "team": team, "category": f"c{number}"}
                for n, team in enumerate(drawn.teams)]  # fmt: skip
        with transaction(self.env.engine) as conn:
            ids = member_store.insert_members(conn, rows, source="test", actor=SYSTEM, now=MONDAY)
            people = [
                {"member_id": member, "position": n, "name": f"{role} {member}", "email": f"m{member}-{n}@x.example",
                 "role": role}
                for member, roles in zip(ids, drawn.contacts, strict=True) for n, role in enumerate(roles, 1)
            ]  # fmt: skip
            if people:
                member_store.insert_contacts(conn, people)
            cards = member_store.member_card(conn, ids)
        return [cards[n].ref for n in ids]

    def _at(self, launch: date, after: int, at: time) -> datetime:
        return self.env.calendar.at(launch + timedelta(days=after), at)

    def _happenings(self, number: int, drawn: DrawnCampaign, launch: date, refs: Sequence[str]) -> Iterator[Happening]:
        for seed, deed in enumerate(drawn.deeds):
            at, ref, data = self._at(launch, deed.after, deed.at), refs[deed.member], dict(deed.data)
            for name in ("promised_on", "until"):
                if name in data:
                    data[name] = (launch + timedelta(days=deed.after + data[name])).isoformat()
            if deed.what == "address_dies":
                data["address"] = f"m{int(ref.removeprefix('M-'))}-1@x.example"
            if deed.what in ("answer", "save_answers"):
                data["seed"] = seed
            yield Happening(at, deed.what, ref, deed.by, data)

    def live(self) -> None:
        """Let real time pass to the last day; each campaign is rehearsed when its moment comes."""
        end = self.env.calendar.end_of(LAST)
        coming = sorted(
            [(h.at, 1, n, i, h) for n, p in enumerate(self.planned) for i, h in enumerate(p.happenings)]
            + [(p.rehearse_at, 0, n, 0, None) for n, p in enumerate(self.planned) if p.foreseen is None],
            key=lambda each: each[:4],
        )  # fmt: skip
        now = MONDAY
        while True:
            due = next_due(self.env, now)
            if due is not None and self.swept is not None and due <= self.swept:
                due = self.swept + timedelta(minutes=1)  # flows run once a minute; what comes of one waits for the next
            moments = [at for at in (due, coming[0][0] if coming else None) if at is not None]
            if not moments or (now := max(min(moments), now)) > end:
                return
            self._machinery(now)
            moved = False
            while coming and coming[0][0] <= now:
                _, _, number, _, happening = coming.pop(0)
                self._one(self.planned[number], happening)
                moved = True
            if moved:
                self._machinery(now)

    def _machinery(self, now: datetime) -> None:
        self.swept = now
        sweep_due(self.env, workers=1, now=now)
        if self.cast.scalar("SELECT 1 FROM messages WHERE state = 'queued' AND not_before <= :now LIMIT 1", now=now):
            deliver(self.env, transport=self.post, now=now)

    def _one(self, planned: Planned, happening: Happening | None) -> None:
        if happening is None:
            self._rehearse(planned)
            return
        try:
            happen(Place(self.env, planned.ref, self.post), happening)
        except (CaseError, MembersError, ValueError):
            return  # refused, as it is in the rehearsal

    def _rehearse(self, planned: Planned) -> None:
        later = [h for h in planned.happenings if h.at >= planned.rehearse_at]
        dead = [Happening(planned.rehearse_at, "address_dies", data={"address": a}) for a in sorted(self.post.dead)]
        found = rehearse(
            self.env, planned.ref, Wish(FILE, until=LAST), happenings=[*dead, *later], actor=self.cast.actor("Mina"),
            now=planned.rehearse_at,
        )  # fmt: skip
        planned.foreseen = sorted(
            _sent(m.at, m.kind, m.to_email, m.subject, m.text) for m in found.mails if m.at > planned.rehearse_at
        )

    def really_sent(self, planned: Planned) -> list[Sent]:
        """What has left of a campaign since it was rehearsed."""
        rows = self.cast.rows(
            "SELECT m.sent_at, m.kind, m.to_email, m.subject, m.body_text FROM messages m"
            " JOIN cases c ON c.id = m.case_id LEFT JOIN cases p ON p.id = c.parent_id"
            " WHERE m.state = 'sent' AND m.sent_at > :since AND :ref IN (c.ref, p.ref)",
            since=planned.rehearse_at, ref=planned.ref,
        )  # fmt: skip
        return sorted(_sent(*row) for row in rows)


def _sent(at: datetime, kind: str, email: str, subject: str, body: str) -> Sent:
    words = [_NOT_KNOWN_BEFORE.sub("…", without_keys(each)) for each in (subject, body)]
    return f"{at:%Y-%m-%d %H:%M}", kind, email.lower(), words[0], words[1]


def lived(cast: Cast, world: World) -> Lived:
    """Return a world after all of it was lived through."""
    env = cast.env
    mail = env.policy.mail.model_copy(update={"notice_budget_per_day": 100_000})  # one budget for all campaigns at once
    own = Calendar(
        env.calendar.name, env.calendar.zone_name, env.calendar.closures | world.closures, cut_off=env.calendar.cut_off
    )
    found = Lived(Cast(replace(env, policy=env.policy.model_copy(update={"mail": mail}), calendar=own)), world)
    found.begin()
    found.live()
    return found


def fingerprint_of(cast: Cast) -> dict[str, str]:
    """Return a digest of every row of every table, and where every sequence stands."""
    names = [row.n for row in cast.rows(
        "SELECT relname AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")]  # fmt: skip
    found = {n: cast.scalar(f'SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), \'\')) FROM "{n}" t')
             for n in names}  # fmt: skip
    for row in cast.rows("SELECT sequencename AS n, last_value AS v FROM pg_sequences WHERE schemaname = 'public'"):
        found[row.n] = str(row.v)
    return found
