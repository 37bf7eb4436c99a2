"""The letters of whole stories, delivered over SMTP and read: who gets them, what they say, and what is not sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cases import answers, campaigns, commands
from cases.answers import member_actor
from cases.delivering import deliver
from cases.sweep import sweep_due
from config.database import Engine, reading, transaction
from members import store as member_store
from members.staff_commands import add_staff
from notifications import catalogue, links
from notifications.transport import domain_of, message_id_for
from notifications.values import DeliveryReport
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast, cast_of
from tests.core.monitoring_story import FORMS
from tests.post import Letterbox, letterbox

LONDON = ZoneInfo("Europe/London")
PRIYA = "priya@worker.example"
WRONG = re.compile(
    r"\bNone\b|\{\{|\}\}|\{%|Undefined|\bnan\b|Dear\s*,|Dear\s*$|<built-in|datetime\.|\b[a-z]+_[a-z]+_?[a-z]*\b"
)
"""What no letter may show: empty values, template marks, names of our own fields."""
LINK = re.compile(r"http://127\.0\.0\.1:8080(/[^\s\"<>]*)")
LAST_WORDS = {
    "cancellation_ended", "survey_cancelled", "survey_complete", "survey_exempt", "survey_receipt",
    "monitoring_advisory", "monitoring_appeal_received", "monitoring_closure", "monitoring_more_time",
    "monitoring_reinstatement", "monitoring_stayed", "monitoring_stay_lifted",
}  # fmt: skip
"""Letters to a member who has nothing to do or to decide: they may come without a personal link."""
ACK = {"issues": [{"category": "Wages"}], "understanding": "Wages were not paid.", "adjustments_asked": True}
FINDINGS = [{"decision": "upheld", "reasons": "The payroll shows it."}]
ANSWER = {"findings": FINDINGS, "answer": "This is what we found."}
PROMISE = {"remedies": [{"what": "Pay the wages", "due_on": "2026-04-20"}]}
LATE = "The person who knows the accounts is away until Monday."


@dataclass
class Mailroom:
    """An organisation whose letters are read."""

    cast: Cast
    box: Letterbox
    refuse: set[str] = field(default_factory=set)
    """Addresses that do not exist."""

    def go(self, text: str) -> DeliveryReport:
        """Move to a moment, sweep and deliver."""
        self.cast.go_to(datetime.fromisoformat(text if ":" in text else f"{text} 09:30").replace(tzinfo=LONDON))
        return self.run()

    def run(self) -> DeliveryReport:
        """Sweep and deliver."""
        sweep_due(self.cast.env)
        return deliver(self.cast.env)

    def days(self, first: str, last: str) -> None:
        """Live through days, with a look in the morning of each."""
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            self.go(day.isoformat())
            day += timedelta(days=1)

    def member(self, name: str = "Acme Gins", **columns: Any) -> str:
        """A member and their reference."""
        [number] = self.cast.members(name, **columns)
        return str(self.cast.scalar("SELECT ref FROM members WHERE id = :id", id=number))

    def open(self, process: str, member: str | None, subject: str = "Wages", **payload: Any) -> str:
        """Open a case as Amara and return its reference."""
        found = commands.open_one(
            self.cast.env, process, member=member, subject=subject, payload=payload, actor=self.cast.actor("Amara")
        )
        return found.after.ref

    def do(self, ref: str, trigger: str, who: str, **payload: Any) -> str:
        """Pull a trigger as one of the staff or as "member", and deliver; monitoring forms are filled in."""
        if who == "member":
            actor = member_actor(self.cast.scalar("SELECT member_id FROM cases WHERE ref = :ref", ref=ref))
        else:
            actor = self.cast.actor(who)
        given = {**(FORMS.get(trigger, {}) if ref.startswith("MC") else {}), **payload}
        state = commands.fire(self.cast.env, ref, trigger, payload=given, actor=actor).after.state
        deliver(self.cast.env)
        return state

    def play(self, ref: str, *steps: tuple[Any, ...]) -> str:
        """Pull triggers one after another: (trigger, who) or (trigger, who, form)."""
        state = ""
        for trigger, who, *form in steps:
            state = self.do(ref, trigger, who, **(form[0] if form else {}))
        return state

    def sent(self) -> list[Any]:
        """The messages that were sent, with their cases."""
        return self.cast.rows(
            "SELECT m.*, c.ref AS case_ref, c.subject AS case_subject, c.process, c.parties, mb.name AS member_name "
            "FROM messages m LEFT JOIN cases c ON c.id = m.case_id LEFT JOIN members mb ON mb.id = c.member_id "
            "WHERE m.state = 'sent' ORDER BY m.id"
        )

    def kinds(self, process: str) -> set[str]:
        """The kinds of letter that a process has sent."""
        return {row.kind for row in self.sent() if row.process == process}

    def ended(self, kind: str) -> list[tuple[str, str | None]]:
        """State and reason of the messages of a kind."""
        rows = self.cast.rows("SELECT state, reason FROM messages WHERE kind = :kind ORDER BY id", kind=kind)
        return [(row.state, row.reason) for row in rows]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Take an address, unless it does not exist."""
        if address in self.refuse:
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def room(engine: Engine, tmp_path: Path) -> Iterator[Mailroom]:
    """A mailroom, with somebody in finance and at a site."""
    with letterbox() as box:
        cast = cast_of(engine, tmp_path / "home", box.url)
        add_staff(engine, "Fay", "fay@muster.example", ["finance"], actor=SYSTEM, now=MONDAY)
        add_staff(engine, "Sid", "sid@muster.example", ["site"], team="North", actor=SYSTEM, now=MONDAY)
        room = Mailroom(cast, box)
        box.handle_RCPT = room.handle_RCPT  # type: ignore[attr-defined]  # aiosmtpd looks it up by its name
        yield room


# --- reading ---------------------------------------------------------------------------------------------------------


class _Text(HTMLParser):
    """The words of an HTML letter, and where its links go."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self._skips = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember links, and skip what is not read."""
        self._skips += tag in ("style", "title")
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]

    def handle_endtag(self, tag: str) -> None:
        """Read again."""
        self._skips -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        """Keep words."""
        if not self._skips:
            self.words.append(data)


def parts(message: EmailMessage) -> tuple[str, str, list[str]]:
    """The text of a letter, the words of its HTML, and the links of that."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None and html is not None, message["Subject"]
    reader = _Text()
    reader.feed(html.get_content())
    return str(plain.get_content()), " ".join(reader.words), reader.links


def read_all(room: Mailroom) -> None:
    """Read every letter that has arrived, and fail on the first that is not as it should be."""
    rows = {row.message_id: row for row in room.sent()}
    assert len(rows) == len(room.box.mails), "what is recorded as sent has arrived, and once"
    domain = domain_of(room.cast.env.settings)
    for address, message in room.box.mails:
        row = rows[message["Message-ID"]]
        about = (row.kind, str(message["Subject"]))
        assert message["Message-ID"] == message_id_for(row.key, domain), about
        assert message["Auto-Submitted"] == "auto-generated", about
        assert row.to_email == address == message["To"].addresses[0].addr_spec, about
        assert address in _expected(room, row), about
        _reads_well(room, row, message)


def _expected(room: Mailroom, row: Any) -> set[str]:
    """The addresses a message of this audience may go to."""
    if row.audience.startswith("party:"):
        return {row.parties[row.audience.removeprefix("party:")]["email"]}
    if row.contact_id is not None:
        sql = "SELECT email FROM contacts WHERE member_id = :id"
        return {contact.email for contact in room.cast.rows(sql, id=row.member_id)}
    return {person.email for person in room.cast.rows("SELECT email FROM staff")}


def _reads_well(room: Mailroom, row: Any, message: EmailMessage) -> None:
    subject, (text, html, hrefs) = str(message["Subject"]), parts(message)
    about = (row.kind, subject, text)
    matter = [row.case_ref, row.case_subject, row.member_name, row.process]
    assert subject.strip() and any(word and word.lower() in subject.lower() for word in matter), about
    for words in (subject, text, html):
        bare = LINK.sub("", words)
        assert not WRONG.search(bare), (WRONG.search(bare), *about)
    assert re.match(r"(Dear [^\s,][^\n]*|Hello),\n", text), about
    assert "Yours sincerely" in text and "Yours sincerely" in html, about
    assert row.case_ref is None or row.case_ref in text, about
    _links_work(room, row, text, hrefs)


def _links_work(room: Mailroom, row: Any, text: str, hrefs: list[str]) -> None:
    """Staff find the desk; a member and a person named on the case find their own page, and nobody else's."""
    paths = set(LINK.findall(text))
    assert {LINK.match(href)[1] for href in hrefs if LINK.match(href)} == paths, row.kind  # type: ignore[index]
    if row.staff_id is not None:
        assert paths == {f"/cases/{row.case_ref}"} or (row.kind == "monitoring_benefits_stopped" and not paths), (
            row.kind
        )
        return
    purpose = links.MEMBER if row.contact_id is not None else row.audience
    start = "/m/" if purpose == links.MEMBER else f"/p/{purpose.removeprefix('party:')}/"
    secret = room.cast.env.settings.secret_key.get_secret_value()
    assert paths or purpose != links.MEMBER or row.kind in LAST_WORDS, f"{row.kind} has no personal link"
    now = room.cast.env_now
    for path in paths:
        assert path.startswith(start), row.kind
        with reading(room.cast.env.engine) as conn:
            opened = links.opened(conn, secret, purpose, path.removeprefix(start), now=now)
        assert opened.case_id == row.case_id, row.kind


def assert_sent(room: Mailroom, process: str, *never: str) -> None:
    """Fail unless the story has sent every kind of a process but these, and each reads well."""
    read_all(room)
    known = {name for name, entry in catalogue.entries().items() if entry.folder == FOLDERS[process]}
    assert known - room.kinds(process) == set(never)


FOLDERS = {
    "complaint": "complaint",
    "monitoring": "monitoring",
    "cancellation": "cancellation",
    "survey_response": "survey_response",
}


# --- the letters of each process -------------------------------------------------------------------------------------


def test_the_letters_of_complaints_reach_the_right_people_and_read_well(room: Mailroom) -> None:
    member = room.member()
    who = {"complainant_name": "Priya Naseem", "complainant_email": PRIYA, "complainant_type": "worker"}
    amara = room.cast.actor("Amara").person

    long = room.open("complaint", None, "Wages", category="Wages", vulnerable=True, **who)
    room.play(
        long,
        ("acknowledge", "Amara", {**ACK, "handler": amara, "issues": [{"category": "Wages", "site": "Riverside"}]}),
        ("allocate", "Mina", {"handler": amara}), ("update_complainant", "Amara", {"message": "We have the payroll."}),
        ("extend", "Mina", {"days": 5, "reason": LATE}),
        ("respond", "Amara", {**ANSWER, **PROMISE, "redress_amount": 80}),
        ("return_response", "Max", {"reason": "Say from when the wages are paid."}),
        ("respond", "Amara", {**ANSWER, **PROMISE, "legal_risk": True}),
        ("approve_response", "Max"),
        ("request_stage_2", "Amara"), ("acknowledge_stage_2", "Sol"),
    )  # fmt: skip
    room.go("2026-03-03")
    room.play(
        long, ("extend_stage_2", "Sol", {"days": 10, "reason": LATE}), ("respond_finally", "Sol", ANSWER),
        ("return_final_response", "Cara", {"reason": "Name the ombudsman."}), ("respond_finally", "Sol", ANSWER),
        ("sign_off", "Cara"), ("accept", "Amara"), ("verify_action", "Amara", {"remedy": 1, "evidence": "payroll"}),
        ("external_review", "Mina", {"body": "The ombudsman", "due_on": "2026-05-01"}),
    )  # fmt: skip

    bc = room.open("complaint", member, "Child labour", category="Labour", profile="BETTER_COTTON", **who)
    room.play(
        bc, ("acknowledge", "Amara", ACK), ("allocate", "Mina", {"handler": amara}),
        ("ask_complainant", "Amara", {"question": "On which day was it?"}),
    )  # fmt: skip
    fast = room.open("complaint", None, "Rude letter", category="Tone", **who)
    room.play(
        fast, ("acknowledge", "Amara", ACK), ("try_early_resolution", "Amara", {"complexity": "One letter"}),
        ("fix_agreed", "Amara", {"answer": "We are sorry.", "complainant_accepts": True}),
    )  # fmt: skip
    for subject, steps in {
        "Old matter": [("reject", "Mina", {"ground": "over_12_months", "reason": "It is three years old."})],
        "Danger": [("refer", "Amara", {"destination": "safeguarding", "reason": "A child is named."})],
        "Noise": [("withdraw", "Amara", {"continue_anyway": True})],
    }.items():
        room.play(room.open("complaint", None, subject, category=subject, **who), *steps)
    slow = room.open("complaint", None, "Broken gate", category="Gate", **who)
    room.play(slow, ("acknowledge", "Amara", ACK), ("allocate", "Mina", {"handler": amara}))
    room.days("2026-03-03", "2026-04-10")
    assert_sent(room, "complaint")


def test_the_letters_of_monitoring_reach_the_right_people_and_read_well(room: Mailroom) -> None:
    tell = {"source_name": "Ben", "source_email": "ben@ngo.example", "tell_source": True}
    found = {
        "criterion": "communication",
        "source": "annual report",
        "source_date": "2026-02-20",
        "evidence": "on file",
    }
    plan = {"actions": "Withdraw the claims | Ada | 2026-03-20 | screenshots"}

    def finding(name: str, severity: str = "major", **more: Any) -> str:
        return room.open(
            "monitoring", room.member(name), "Claims without a licence", **{**found, "severity": severity, **more}
        )

    heard = [("start_triage", "Amara"), ("accept", "Amara"), ("ask_member", "Amara"), ("reply", "member"),
             ("submit_assessment", "Amara"), ("accept_pack", "Mina")]  # fmt: skip
    warned = [*heard, ("warn", "Mina")]
    advised = finding("Advised Ltd", **tell)
    room.play(
        advised, *heard, ("return_assessment", "Mina"), ("submit_assessment", "Amara"), ("accept_pack", "Max"),
        ("close_without_case", "Max", {"chosen": "ADVISORY", "advice": "Have claims approved by one person."}),
    )  # fmt: skip
    silent = finding("Silent Ltd")
    room.play(silent, *heard[:3], ("extend_clarification", "Amara"))
    grave = finding("Grave Ltd", "high")
    room.play(grave, ("start_triage", "Amara"), ("propose_dismissal", "Amara"))
    critical = finding("Critical Ltd", "critical")
    room.play(critical, ("start_triage", "Amara"), ("take_interim_measure", "Mina"))
    planned = finding("Planned Ltd")
    room.play(
        planned, *warned, ("file_plan", "member", plan), ("reject_plan", "Amara"), ("file_plan", "member", plan),
        ("accept_plan", "Mina"), ("report_complete", "member"), ("not_effective", "Amara", {"next_date": "2026-03-25"}),
        ("report_complete", "member"), ("grant_more_time", "Mina", {"next_date": "2026-04-20"}),
    )  # fmt: skip
    two_steps = finding("Two Steps Ltd")
    both = {"actions": "Withdraw | Ada | 2026-03-06 | screenshots\nTrain | Ben | 2026-04-06 | list of people"}
    room.play(two_steps, *warned, ("file_plan", "member", both), ("accept_plan", "Mina"))
    lazy = finding("Lazy Ltd")
    room.play(lazy, *warned)
    suspended = finding("Suspended Ltd")
    room.play(
        suspended, *heard, ("recommend_sanction", "Mina"), ("suspend", "Sol"), ("report_remedy", "member"),
        ("not_remedied", "Mina"), ("appeal", "member"), ("stay", "Max"), ("lift_stay", "Max"),
        ("dismiss_appeal", "Cara"), ("report_remedy", "member"), ("reinstate", "Sol"),
    )  # fmt: skip
    gone = finding("Gone Ltd")
    room.play(
        gone, *heard, ("recommend_sanction", "Mina"), ("give_notice", "Sol"), ("withdraw_notice", "Sol"),
    )  # fmt: skip
    ended = finding("Ended Ltd")
    room.play(
        ended, *heard, ("recommend_sanction", "Mina"), ("give_notice", "Sol"), ("make_representations", "member"),
        ("terminate", "Sol"),
    )  # fmt: skip
    room.days("2026-03-02", "2026-04-14")
    room.do(planned, "report_complete", "member")
    assert room.do(planned, "close_resolved", "Max") == "follow_up"
    assert_sent(room, "monitoring")


def test_the_letters_of_cancellations_reach_the_right_people_and_read_well(room: Mailroom) -> None:
    joined = {"joined_on": date(2024, 1, 10), "kind": "person"}
    tired = {"channel": "email", "reasons": ["lack_of_time"]}
    offer = {"code": "freeze", "months": 2, "terms": "A freeze for two months; you pay nothing in that time."}

    def leaving(name: str, **payload: Any) -> str:
        columns = {**joined, **({"joined_on": date(2026, 2, 20)} if name == "New Person" else {})}
        return room.open("cancellation", room.member(name, **columns), "Wants to leave", **payload)

    saved = leaving("Saved Person", **tired)
    room.play(saved, ("make_offer", "Amara", offer), ("accept_offer", "member", {"agreed": True}))
    leaving("New Person", **tired)
    leaving("Short Person", **tired, hardship=True)
    leaving("Late Person", channel="executor", executor_name="Dara Late", executor_email="dara@family.example")
    leaving("Bank Person", channel="bank")
    leaving("Paid Person", **tired, payer_name="Parent", payer_email="parent@family.example", wants_no_offers=True)
    prompt = leaving("Ill Person", **tired, early_exit_reason="illness_injury", early_exit_evidence=True,
                     billing_day=1, monthly_price="31.00")  # fmt: skip
    stays = leaving("Staying Person", **tired)
    room.days("2026-03-02", "2026-03-18")
    room.do(stays, "revoke", "member", agreed=True)
    room.go("2026-04-01")
    assert room.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=prompt) == "end_confirmed"
    assert_sent(room, "cancellation")


def test_the_letters_of_a_survey_reach_the_right_people_and_read_well(room: Mailroom, tmp_path: Path) -> None:
    refs = survey(room, tmp_path, "Silent Ltd", "Asked Ltd", "Exempt Ltd", "Declined Ltd", "Slow Ltd", "Refusing Ltd",
                  "More Time Ltd", "Opened Ltd", "Begun Ltd", "Unsure Ltd")  # fmt: skip
    room.days("2026-03-03", "2026-03-05")
    answer(room, refs["Asked Ltd"])
    room.do(refs["Asked Ltd"], "query", "Amara", questions=[{"question": "staff", "text": "Is this figure right?"}])
    answer(room, refs["Unsure Ltd"])
    flags = room.cast.scalar("SELECT data -> 'open_flags' FROM cases WHERE ref = :ref", ref=refs["Unsure Ltd"]) or []
    assert isinstance(flags, list)
    room.do(refs["Unsure Ltd"], "accept_with_caveat", "Mina", reason="Taken as it is", excluded=["staff"])
    request = {"exemption": "under_12_months", "details": "We joined in November."}
    room.play(refs["Exempt Ltd"], ("request_exemption", "Amara", request),
              ("approve_exemption", "Mina", {"reason": "Joined in January"}))  # fmt: skip
    room.play(refs["Declined Ltd"], ("request_exemption", "member", request),
              ("decline_exemption", "Mina", {"reason": "Joined two years ago"}))  # fmt: skip
    room.do(refs["Refusing Ltd"], "refuse", "member", in_writing=True, statement="We do not share such figures.")
    room.do(refs["Opened Ltd"], "view", "member")
    begun = answers.sample_for(room.cast.env, refs["Begun Ltd"])
    answers.submit(room.cast.env, refs["Begun Ltd"], begun, submitting=False)
    room.do(refs["More Time Ltd"], "extend", "Mina", until="2026-04-30", reason="A merger takes all the time")
    room.do(refs["Slow Ltd"], "nudge", "Amara")
    room.days("2026-03-06", "2026-06-02")
    room.do(refs["Silent Ltd"], "fail", "Mina", reason="No answer to three letters")
    assert_sent(room, "survey_response", "survey_bounced", "survey_cancelled", "survey_deadline_moved")


def survey(room: Mailroom, tmp_path: Path, *names: str) -> dict[str, str]:
    """A launched campaign among members with these names; returns the reference of each one's response."""
    room.cast.go_to(datetime(2026, 2, 20, 9, tzinfo=LONDON))
    room.cast.members(*names, tier="General")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "kind: survey\ntitle: Survey 2026\nquestionnaire: self-assessment\nlaunch: 2026-03-02\ndeadline: 2026-04-17\n"
        "population: {status: active, tier: [General]}\nladder: standard\n"
    )
    ref = campaigns.plan(room.cast.env, plan, actor=room.cast.actor("Amara")).after.ref
    room.do(ref, "approve_plan", "Mina", data_protection_checked=True)
    room.do(ref, "skip_pilot", "Mina", reason="The questions are those of last year")
    room.go("2026-02-27")
    room.go("2026-03-02")
    rows = room.cast.rows(
        "SELECT c.ref, m.name FROM cases c JOIN members m ON m.id = c.member_id WHERE c.process = 'survey_response'"
    )
    return {row.name: row.ref for row in rows}


def answer(room: Mailroom, ref: str) -> None:
    """Let a member submit good answers, and deliver."""
    answers.submit(room.cast.env, ref, answers.sample_for(room.cast.env, ref))
    deliver(room.cast.env)


# --- what is not sent ------------------------------------------------------------------------------------------------


def test_a_reminder_that_waits_when_the_answer_comes_is_not_sent_and_says_why(room: Mailroom, tmp_path: Path) -> None:
    ref = survey(room, tmp_path, "Prompt Ltd")["Prompt Ltd"]
    room.cast.go_to(datetime(2026, 3, 9, 9, 30, tzinfo=LONDON))
    sweep_due(room.cast.env)
    assert set(room.ended("survey_reminder_unopened")) == {("queued", None)}
    before = len(room.box.to("m1@members.example"))
    answers.submit(room.cast.env, ref, answers.sample_for(room.cast.env, ref))
    report = deliver(room.cast.env)
    [(state, reason)] = set(room.ended("survey_reminder_unopened"))
    assert state == "suppressed" and reason is not None
    assert reason.startswith("no longer needed: the case is ")
    assert reason in report.suppressed
    subjects = room.box.to("m1@members.example")[before:]
    assert subjects == ["We have your answer: Survey 2026"]


def test_a_personal_link_that_was_revoked_no_longer_opens(room: Mailroom, tmp_path: Path) -> None:
    survey(room, tmp_path, "Acme Gins")
    read_all(room)
    number = room.cast.scalar("SELECT case_id FROM messages WHERE kind = 'survey_invitation'")
    now = room.cast.env_now
    with transaction(room.cast.env.engine) as conn:
        links.revoke(conn, [number], now=now)
    with pytest.raises(links.LinkExpired):
        read_all(room)


def test_a_mailbox_that_does_not_exist_moves_on_to_the_next_contact_and_asks_for_repair(
    room: Mailroom, tmp_path: Path
) -> None:
    room.cast.go_to(datetime(2026, 2, 20, 9, tzinfo=LONDON))
    [first] = room.cast.members("Other Ltd", tier="General")
    next_contact(room, first, "second@members.example")
    room.refuse.add(f"m{first}@members.example")
    refs = survey(room, tmp_path, "Acme Gins")
    assert len(room.box.to("second@members.example")) == 1
    assert room.box.to(f"m{first}@members.example") == []
    assert set(room.ended("survey_invitation")) == {("sent", None)}
    assert refs["Other Ltd"]
    tasks = room.cast.rows(
        "SELECT t.kind, c.ref FROM case_tasks t JOIN cases c ON c.id = t.case_id WHERE t.closed_at IS NULL"
    )
    assert [(row.kind, row.ref) for row in tasks] == [("contact_repair", refs["Other Ltd"])]
    assert room.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=refs["Other Ltd"]) == "invited"
    room.days("2026-03-03", "2026-03-10")
    assert len(room.box.to("second@members.example")) == 2, "the reminder goes to the next contact at once"


def test_a_member_whose_last_mailbox_is_gone_waits_for_repair_and_is_reminded_no_more(
    room: Mailroom, tmp_path: Path
) -> None:
    room.refuse.add("m1@members.example")
    refs = survey(room, tmp_path, "Acme Gins", "Other Ltd")
    ref = refs["Acme Gins"]
    assert room.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref) == "bounced"
    [(state, reason)] = {end for end in room.ended("survey_invitation") if end[0] != "sent"}
    assert (state, reason) in {("suppressed", "no usable address"), ("failed", "550 5.1.1 no such person")}
    assert room.cast.scalar("SELECT count(*) FROM case_tasks WHERE kind = 'contact_repair' AND closed_at IS NULL") == 1
    room.days("2026-03-03", "2026-03-10")
    assert room.box.to("m1@members.example") == []
    read_all(room)


def next_contact(room: Mailroom, member_id: int, address: str) -> None:
    """Give a member one more contact."""
    with transaction(room.cast.env.engine) as conn:
        member_store.insert_contacts(
            conn, [{"member_id": member_id, "position": 2, "name": "Second", "email": address, "role": "other"}]
        )


# --- the day's budget of notices -------------------------------------------------------------------------------------


def test_after_twenty_notices_in_a_day_no_more_come_but_an_alert_does_and_tomorrow_is_another_day(
    room: Mailroom,
) -> None:
    member = room.member()
    for number in range(30):
        room.open("complaint", member, f"Complaint {number}", category="Service")
    room.go("2026-03-10")
    amara, mina = "amara@muster.example", "mina@muster.example"
    assert (len(room.box.to(amara)), len(room.box.to(mina))) == (20, 20)
    reason = "more than 20 notices today; see your queue and the digest"
    assert ("suppressed", reason) in room.ended("case_overdue")
    ends = Counter(room.ended("case_overdue"))
    assert ends["sent", None] == 20 and ends["suppressed", reason] >= 10
    assert not [end for end in room.ended("case_overdue") if end[0] == "queued"]
    room.open("monitoring", member, "Danger", criterion="decent_work", severity="critical", source="call",
              source_date="2026-03-10", evidence="a call")  # fmt: skip
    deliver(room.cast.env)
    assert len(room.box.to(mina)) == 21
    assert "Danger" in room.box.to(mina)[-1] or "MC-" in room.box.to(mina)[-1]
    room.go("2026-03-12")
    assert len(room.box.to(mina)) > 21, "a new day"
    read_all(room)


def test_of_several_readers_those_who_had_enough_are_left_out_and_the_others_are_not(room: Mailroom) -> None:
    def refund(name: str) -> None:
        room.open("cancellation", room.member(name, joined_on=date(2026, 2, 20)), "Leaves", channel="email")

    for number in range(20):
        refund(f"Person {number}")
    deliver(room.cast.env)
    add_staff(room.cast.env.engine, "Abe", "abe@muster.example", ["finance"], actor=SYSTEM, now=MONDAY)
    add_staff(room.cast.env.engine, "Zoe", "zoe@muster.example", ["finance"], actor=SYSTEM, now=MONDAY)
    refund("Last Person")
    deliver(room.cast.env)
    counts = [len(room.box.to(f"{name}@muster.example")) for name in ("fay", "abe", "zoe")]
    assert counts == [20, 1, 1]
    ends = Counter(room.ended("cancellation_refund_note"))
    assert ends == {("sent", None): 22, ("suppressed", "more than 20 notices today; see your queue and the digest"): 1}
    read_all(room)
