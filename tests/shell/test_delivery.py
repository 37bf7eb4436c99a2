"""Sending what is due, to a real mail server from a real database."""

import asyncio
import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import dkim  # type: ignore[import-untyped]
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from sqlalchemy import insert, update

from config.clock import utc_now
from config.database import Connection, Engine, reading, transaction
from config.settings import Settings
from config.smtp import parse_smtp
from members.tables import Contact, Member, Staff
from notifications import catalogue, delivery, ledger, links, outbox, queries, rendering
from notifications.kind import MessageKind, Purpose
from notifications.refusals import NeverDeliverable, OutcomeUnknown, ServerGone, TryLater, refused_recipient, said
from notifications.retries import GiveUp, SendAgain, after_failure
from notifications.smtp import SmtpSession
from notifications.tables import MessageRow
from notifications.transport import SmtpTransport, Transport, message_id_for
from notifications.values import CaseView, ClockView, DeliveryReport, NewMessage
from state_machines.calendars import calendar
from state_machines.policy import MailPolicy, Policy

NOW = datetime(2026, 4, 13, 10, 0, tzinfo=UTC)  # a Monday, 11:00 in London
LONDON = calendar("EW")
SECRET = "a-secret-of-this-installation-which-is-long"
CHANDRA, NEXT, SIGNATORY = "chandra@example.org", "next@example.org", "chair@example.org"

KINDS = [
    MessageKind("invitation", Purpose.SERVICE, "Invitation", while_in=frozenset({"invited"})),
    MessageKind("reminder", Purpose.SERVICE, "Reminder", window="office", while_in=frozenset({"invited"})),
    MessageKind("receipt", Purpose.SERVICE, "Receipt"),
    MessageKind("notice", Purpose.LEGAL, "Notice"),
    MessageKind("demand", Purpose.SERVICE, "Demand", demands_payment=True),
    MessageKind("offer", Purpose.MARKETING, "Offer"),
    MessageKind("broken", Purpose.SERVICE, "A template that asks for what is not there"),
    MessageKind("nightly", Purpose.SERVICE, "In a window the policy lacks", window="night"),
]
STAFF_KINDS = ("case_overdue", "case_escalated", "case_due_soon")


# --- a mail server that does as it is told ---------------------------------------------------------------------------

Reply = str | Callable[[int], str]


@dataclass
class Server:
    """What the mail server got, and how it answers. Answers are by recipient."""

    port: int = 0
    got: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    at_rcpt: dict[str, Reply] = field(default_factory=dict)
    at_data: dict[str, Reply] = field(default_factory=dict)
    at_mail: str | None = None
    pipelining: bool = False
    """Whether it says that it takes several commands in one write (RFC 2920)."""
    asked: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    pause: Callable[[str], None] | None = None
    """Called when a message was taken and before the server says so."""

    def _reply(self, script: Mapping[str, Reply], address: str) -> str | None:
        reply = script.get(address)
        if reply is None or isinstance(reply, str):
            return reply
        self.asked[address] = self.asked.get(address, 0) + 1
        return reply(self.asked[address]) or None

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return [responses[0], "250-PIPELINING", *responses[1:]] if self.pipelining else responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.at_mail:
            return self.at_mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if reply := self._reply(self.at_rcpt, address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        [address] = envelope.rcpt_tos
        reply = self._reply(self.at_data, address)
        if reply == "drop":
            server.transport.abort()
            await asyncio.sleep(0)
            return "421 gone"
        if reply:
            if reply.startswith("250 then drop"):
                self._take(address, envelope.content)
                server.transport.abort()
                await asyncio.sleep(0)
            return reply
        self._take(address, envelope.content)
        if self.pause:
            await asyncio.to_thread(self.pause, address)
        return "250 OK"

    def _take(self, address: str, content: bytes) -> None:
        self.raw.append(content)
        found = message_from_bytes(content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.got.append((address, found))

    @property
    def to(self) -> list[str]:
        return sorted(address for address, _ in self.got)

    @property
    def ids(self) -> list[str]:
        return [str(message["Message-ID"]) for _, message in self.got]


@pytest.fixture
def server() -> Iterator[Server]:
    """A real SMTP server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    script = Server(port=port)
    controller = Controller(script, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True, server_hostname="mail.test")
    controller.start()
    yield script
    controller.stop()


# --- the office ------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of these tests, beside the general ones."""
    folder = tmp_path / "templates" / "test"
    folder.mkdir(parents=True)
    for kind in KINDS:
        name = kind.kind
        body = (
            "{{ payload.nobody }}"
            if name == "broken"
            else "{{ recipient.name }} {{ payload.get('text', '') }} {{ link }}"
        )
        (folder / f"{name}.subject.txt").write_text(
            f"{kind.title} {{{{ case.ref }}}} {{{{ payload.get('text', '') }}}}"
        )
        (folder / f"{name}.txt").write_text(body)
        (folder / f"{name}.html").write_text(f"<p>{body}</p>")
    general = {name: catalogue.entry(name) for name in STAFF_KINDS}
    entries = {kind.kind: catalogue.Entry(kind, "test") for kind in KINDS} | general
    monkeypatch.setattr(catalogue, "entries", lambda: entries)
    environment = rendering.environment_for("Europe/London", [str(catalogue.TEMPLATES), str(folder.parent)])
    monkeypatch.setattr(rendering, "_environment", lambda zone_name: environment)


class Office:
    """An organisation with members, cases and a mail server."""

    def __init__(self, engine: Engine, server: Server) -> None:
        self.engine, self.server = engine, server
        self.settings = Settings(
            smtp_url=SecretStr(f"smtp://127.0.0.1:{server.port}"),
            secret_key=SecretStr(SECRET),
            base_url="https://muster.example",
            mail_from="Membership team <membership@muster.example>",
        )
        self.policy = Policy(
            version="test", mail=MailPolicy(contact_budget_per_day=2, attempts=3, retry_minutes=(1, 5))
        )
        self.views: dict[int, CaseView] = {}
        self.payloads: dict[tuple[int, int], Mapping[str, Any]] = {}
        self.now = NOW
        self._keys = 0

    def use(self, smtp_url: str) -> None:
        """Send through another mail server."""
        self.settings = self.settings.model_copy(update={"smtp_url": SecretStr(smtp_url)})

    def member(self, *emails: str, **changes: Any) -> int:
        """A member with these addresses, in order."""
        values = {"name": "Wētā FX Limited", "name_key": "weta fx", "created_at": NOW, "updated_at": NOW, **changes}
        with transaction(self.engine) as conn:
            member_id = int(conn.execute(insert(Member).values(values).returning(Member.id)).scalar_one())
            for position, email in enumerate(emails):
                role = "signatory" if email == SIGNATORY else "primary"
                contact = {
                    "member_id": member_id,
                    "position": position,
                    "name": "Chandra",
                    "email": email,
                    "role": role,
                }
                conn.execute(insert(Contact).values(contact))
        return member_id

    def staff(self, name: str, *roles: str, **changes: Any) -> int:
        """A member of staff."""
        values = {
            "name": name,
            "email": f"{name.lower()}@muster.example",
            "roles": list(roles),
            "created_at": NOW,
            **changes,
        }
        with transaction(self.engine) as conn:
            return int(conn.execute(insert(Staff).values(values).returning(Staff.id)).scalar_one())

    def case(self, member_id: int | None = None, **changes: Any) -> int:
        """A case that waits for the member's answer."""
        case_id = len(self.views) + 1
        clocks = {"answer": ClockView("answer", "Answer", NOW - timedelta(hours=1))}
        view = CaseView(
            case_id=case_id, ref=f"S-2026-{case_id:04}", process="survey", state="invited", subject="Survey 2026",
            member_id=member_id, member_name="Wētā FX Limited", member_ref="M-000001", member_status="active",
            clocks=clocks,
        )  # fmt: skip
        self.views[case_id] = replace(view, **changes)
        return case_id

    def change(self, case_id: int, **changes: Any) -> None:
        """Let something happen to a case."""
        self.views[case_id] = replace(self.views[case_id], **changes)

    def ask(self, case_id: int | None, kind: str = "invitation", audience: str = "member", **changes: Any) -> str:
        """Queue a message and return its key."""
        self._keys += 1
        key = f"k{self._keys}"
        values = {
            "key": key,
            "kind": kind,
            "audience": audience,
            "case_id": case_id,
            "event_seq": self._keys,
            **changes,
        }
        with transaction(self.engine) as conn:
            outbox.enqueue(conn, [NewMessage(**values)], now=self.now)
        return key

    def deliver(self, transport: Transport | None = None, **changes: Any) -> DeliveryReport:
        """Send what is due."""

        def load_cases(conn: Connection, ids: Sequence[int]) -> Mapping[int, CaseView]:
            return {case_id: self.views[case_id] for case_id in ids if case_id in self.views}

        def load_payloads(
            conn: Connection, keys: Sequence[tuple[int, int]]
        ) -> Mapping[tuple[int, int], Mapping[str, Any]]:
            return {key: self.payloads[key] for key in keys if key in self.payloads}

        own = SmtpTransport(self.settings, timeout=5)
        arguments: dict[str, Any] = {
            "settings": self.settings, "policy": self.policy, "calendar": LONDON, "load_cases": load_cases,
            "load_payloads": load_payloads, "now": self.now, "transport": transport or own, **changes,
        }  # fmt: skip
        try:
            return delivery.deliver_due(self.engine, **arguments)
        finally:
            own.close()

    def row(self, key: str) -> Any:
        """A message as it stands."""
        with reading(self.engine) as conn:
            rows, _ = queries.messages(conn, limit=1000)
            return queries.message(conn, next(row.id for row in rows if row.key == key))

    def states(self) -> dict[str, int]:
        """How many messages are in which state."""
        with reading(self.engine) as conn:
            return {state: n for state, n in queries.counts(conn).items() if n}

    def expire_leases(self) -> None:
        """Let the time pass after which somebody else may take over."""
        with transaction(self.engine) as conn:
            conn.execute(update(MessageRow).values(lease_until=utc_now() - timedelta(minutes=1)))


@pytest.fixture
def office(engine: Engine, server: Server) -> Office:
    """An organisation with a mail server."""
    return Office(engine, server)


@pytest.fixture
def case_id(office: Office) -> int:
    """A case of a member who can be written to."""
    return office.case(office.member(CHANDRA, NEXT, SIGNATORY))


# --- sending ---------------------------------------------------------------------------------------------------------


def test_a_message_is_sent_and_kept_word_for_word(office: Office, server: Server, case_id: int) -> None:
    key = office.ask(case_id)
    office.payloads[(case_id, 1)] = {"text": "Kia ora — Łódź"}

    report = office.deliver()

    assert (report.sent, report.stopped) == (1, None)
    [(address, message)] = server.got
    assert address == CHANDRA
    row = office.row(key)
    assert (row.state, row.sent_at, row.to_email, row.to_name) == ("sent", NOW, CHANDRA, "Chandra")
    assert row.subject == message["Subject"] == "Invitation S-2026-0001 Kia ora — Łódź"
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == row.body_text.strip()
    assert row.message_id == message["Message-ID"] == message_id_for(key, "muster.example")
    assert queries.is_genuine(row)
    assert message["X-Muster-Case"] == "S-2026-0001"


def test_the_link_of_a_member_leads_to_the_members_page_and_that_of_staff_to_the_desk(
    office: Office, server: Server, case_id: int
) -> None:
    office.change(case_id, owner_id=office.staff("Amara", "coordinator"))
    member, staff = office.ask(case_id), office.ask(case_id, "case_overdue", "owner", clock="answer")

    office.deliver()

    token = office.row(member).body_text.split("/m/")[1].strip()
    assert links.read(SECRET, links.MEMBER, token, now=NOW).case_id == case_id
    assert "https://muster.example/cases/S-2026-0001" in office.row(staff).body_text


def test_answers_of_people_are_escaped_on_the_page(office: Office, case_id: int) -> None:
    key = office.ask(case_id)
    office.payloads[(case_id, 1)] = {"text": "<script>x</script>\r\nBcc: all@example.org"}

    office.deliver()

    row = office.row(key)
    assert "<script>" not in row.body_html
    assert "\n" not in row.subject
    assert office.server.got[0][1]["Bcc"] is None


def test_a_message_is_not_sent_before_its_time(office: Office, server: Server, case_id: int) -> None:
    office.ask(case_id, not_before=NOW + timedelta(minutes=1))

    assert office.deliver().sent == 0
    office.now += timedelta(minutes=1)
    assert office.deliver().sent == 1


def test_many_messages_go_over_one_connection(office: Office, server: Server, case_id: int) -> None:
    for _ in range(5):
        office.ask(case_id, "receipt")
    settled: list[int] = []

    report = office.deliver(batch=2, progress=settled.append)

    assert report.sent == len(server.got) == 5
    assert server.connections == 1
    assert settled == [1, 2, 3, 4, 5]


def test_two_deliveries_at_once_send_each_message_once(office: Office, server: Server) -> None:
    addresses = sorted(f"member{n}@example.org" for n in range(40))
    for address in addresses:
        office.ask(office.case(office.member(address)))
    reports: list[DeliveryReport] = []
    threads = [threading.Thread(target=lambda: reports.append(office.deliver(batch=5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert server.to == addresses
    assert len(set(server.ids)) == 40
    assert sum(report.sent for report in reports) == 40
    assert office.states() == {"sent": 40}


def test_a_delivery_ends_when_its_time_is_over_and_gives_back_the_rest(office: Office, case_id: int) -> None:
    office.ask(case_id)

    assert office.deliver(budget_seconds=0).sent == 0
    assert office.states() == {"queued": 1}
    assert office.deliver(budget_seconds=60).sent == 1


# --- who no longer needs it ------------------------------------------------------------------------------------------


def test_a_message_is_never_sent_to_someone_who_has_since_answered(
    office: Office, server: Server, case_id: int
) -> None:
    key = office.ask(case_id)
    office.change(case_id, state="submitted", state_label="answered")

    report = office.deliver()

    assert server.got == []
    assert report.suppressed == {"no longer needed: the case is answered": 1}
    assert (office.row(key).state, office.row(key).decided_at) == ("suppressed", NOW)


def test_an_answer_that_comes_while_a_slow_batch_is_sent_still_stops_the_message(
    office: Office, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FRESH_SECONDS", 0.0)
    cases = [office.case(office.member(f"member{n}@example.org")) for n in range(3)]
    for case_id in cases:
        office.ask(case_id)
    server.pause = lambda address: office.change(cases[2], state="submitted")

    report = office.deliver()

    assert server.to == ["member0@example.org", "member1@example.org"]
    assert report.sent == 2
    assert sum(report.suppressed.values()) == 1


def test_a_receipt_is_owed_in_whichever_state_the_case_is(office: Office, case_id: int) -> None:
    office.change(case_id, state="closed", final=True)
    office.ask(case_id, "receipt")

    assert office.deliver().sent == 1


def test_a_newer_message_of_the_same_clock_supersedes_the_older(office: Office, server: Server, case_id: int) -> None:
    old, new = (office.ask(case_id, clock="answer") for _ in range(2))

    report = office.deliver()

    assert office.row(old).reason == "a newer message took its place"
    assert office.row(new).state == "sent"
    assert report.sent == 1


def test_a_notice_that_the_law_asks_for_is_not_superseded(office: Office, case_id: int) -> None:
    office.ask(case_id, "notice", clock="answer")
    office.ask(case_id, "notice", clock="answer")

    assert office.deliver().sent == 2


def test_owner_and_manager_each_get_their_own_message_of_one_event(
    office: Office, server: Server, case_id: int
) -> None:
    mina = office.staff("Mina", "manager")
    office.change(case_id, owner_id=office.staff("Amara", "coordinator", manager_id=mina))
    for audience in ("owner", "manager"):
        office.ask(case_id, "case_overdue", audience, clock="answer", event_seq=9)

    office.deliver()

    assert server.to == ["amara@muster.example", "mina@muster.example"]


def test_whoever_is_owner_and_manager_at_once_gets_one_message(office: Office, server: Server, case_id: int) -> None:
    office.change(case_id, owner_id=office.staff("Mina", "manager"))
    for audience in ("owner", "manager"):
        office.ask(case_id, "case_overdue", audience, clock="answer", event_seq=9)

    report = office.deliver(batch=1)

    assert server.to == ["mina@muster.example"]
    assert report.suppressed == {"the same person gets it already": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "closed", "final": True},
        {"clocks": {}},
        {"clocks": {"answer": ClockView("answer", "Answer", NOW + timedelta(days=5))}},
    ],
    ids=["closed", "clock stopped", "more time given"],
)
def test_nobody_hears_that_a_case_is_late_when_it_is_not_any_more(
    office: Office, server: Server, case_id: int, changes: dict[str, Any]
) -> None:
    office.change(case_id, owner_id=office.staff("Amara", "coordinator"), **changes)
    office.ask(case_id, "case_overdue", "owner", clock="answer")

    assert sum(office.deliver().suppressed.values()) == 1
    assert server.got == []


def test_a_case_that_is_gone_sends_nothing(office: Office, server: Server) -> None:
    office.ask(4711, "receipt")

    assert office.deliver().suppressed == {"the case is no longer there": 1}


# --- whom it may not go to -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "flags", "sent"),
    [
        ("receipt", {"DECEASED"}, 0),
        ("notice", {"deceased"}, 0),
        ("receipt", {"LEGAL_HOLD_CONTACT"}, 0),
        ("receipt", {"INVALID_ADDRESS"}, 0),
        ("demand", {"BREATHING_SPACE"}, 0),
        ("receipt", {"BREATHING_SPACE"}, 1),
        ("demand", {"VULNERABLE"}, 0),
        ("receipt", {"VULNERABLE"}, 1),
        ("demand", {"COMPLAINT_ON_SAME_DEBT"}, 0),
        ("demand", set(), 1),
        ("offer", set(), 0),
        ("offer", {"MARKETING_CONSENT"}, 1),
        ("offer", {"MARKETING_CONSENT", "MARKETING_OPT_OUT"}, 0),
        ("offer", {"MARKETING_CONSENT", "NO_OFFERS"}, 0),
    ],
)
def test_the_members_circumstances_decide_what_is_sent(
    office: Office, server: Server, case_id: int, kind: str, flags: set[str], sent: int
) -> None:
    office.change(case_id, member_flags=frozenset(flags))
    key = office.ask(case_id, kind)

    assert office.deliver().sent == sent
    assert (office.row(key).reason is None) == bool(sent)


def test_only_offers_carry_a_way_out(office: Office, server: Server, case_id: int) -> None:
    office.change(case_id, member_flags=frozenset({"MARKETING_CONSENT"}))
    office.ask(case_id, "offer")
    office.ask(case_id, "receipt")

    office.deliver()

    offer, receipt = (message for _, message in server.got)
    assert offer["List-Unsubscribe"].strip().startswith("<https://muster.example/unsubscribe/")
    assert receipt["List-Unsubscribe"] is None


def test_a_member_who_left_is_not_reminded_but_gets_what_is_owed(office: Office, server: Server, case_id: int) -> None:
    office.change(case_id, member_status="left")
    office.ask(case_id, "invitation")
    office.ask(case_id, "receipt")

    report = office.deliver()

    assert (report.sent, report.suppressed) == (1, {"the member has left": 1})


@pytest.mark.parametrize(
    ("audience", "address"), [("member", CHANDRA), ("next_contact", NEXT), ("signatory", SIGNATORY)]
)
def test_each_audience_of_a_member_has_its_contact(
    office: Office, server: Server, case_id: int, audience: str, address: str
) -> None:
    office.ask(case_id, audience=audience)

    office.deliver()

    assert server.to == [address]


def test_with_one_contact_the_next_is_the_same_and_hears_it_once(office: Office, server: Server) -> None:
    case_id = office.case(office.member(CHANDRA))
    office.ask(case_id, event_seq=5)
    office.ask(case_id, audience="next_contact", event_seq=5)

    report = office.deliver()

    assert server.to == [CHANDRA]
    assert report.suppressed == {"the same person gets it already": 1}


def test_a_contact_that_bounced_or_left_is_passed_over(office: Office, server: Server, case_id: int) -> None:
    with transaction(office.engine) as conn:
        conn.execute(update(Contact).where(Contact.email == CHANDRA).values(status="bounced"))
        conn.execute(update(Contact).where(Contact.email == NEXT).values(status="left"))
    office.ask(case_id)

    office.deliver()

    assert server.to == [SIGNATORY]


def test_a_member_nobody_can_reach_is_reported_for_repair(office: Office) -> None:
    case_id = office.case(office.member())
    office.ask(case_id)

    report = office.deliver()

    assert report.suppressed == {"no usable address": 1}
    assert report.unusable == [case_id]


def test_a_person_named_on_the_case_is_written_to_at_their_own_address(office: Office, server: Server) -> None:
    case_id = office.case(parties={"complainant": {"name": "Dov", "email": "dov@example.org"}})
    with_address = office.ask(case_id, "receipt", "party:complainant")
    without = office.ask(case_id, "receipt", "party:witness")

    office.deliver()

    assert server.to == ["dov@example.org"]
    assert "/p/complainant/" in office.row(with_address).body_text
    assert office.row(without).reason == "no address on file"


def test_a_message_to_a_role_goes_to_everybody_of_it_once(office: Office, server: Server, case_id: int) -> None:
    for name in ("Fay", "Finn", "Flo"):
        office.staff(name, "finance")
    office.ask(case_id, "receipt", "role:finance")

    report = office.deliver()

    assert server.to == ["fay@muster.example", "finn@muster.example", "flo@muster.example"]
    assert report.sent == 3
    assert len(set(server.ids)) == 3
    assert office.deliver().sent == 0


def test_one_of_a_role_who_cannot_be_reached_now_does_not_double_the_others(
    office: Office, server: Server, case_id: int
) -> None:
    for name in ("Fay", "Finn"):
        office.staff(name, "finance")
    office.ask(case_id, "receipt", "role:finance")
    server.at_rcpt["fay@muster.example"] = lambda attempt: "450 later" if attempt == 1 else ""

    office.deliver()
    office.now += timedelta(minutes=5)
    office.deliver()

    assert server.to == ["fay@muster.example", "finn@muster.example"]


def test_a_case_that_nobody_owns_is_told_to_everybody_of_its_role(office: Office, server: Server, case_id: int) -> None:
    office.staff("Amara", "coordinator", team="North")
    office.staff("Bo", "coordinator", team="South")
    office.change(case_id, team="North")
    office.ask(case_id, "case_overdue", "owner", clock="answer")

    office.deliver()

    assert server.to == ["amara@muster.example"]


def test_nobody_is_told_of_a_case_they_may_not_see(office: Office, server: Server, case_id: int) -> None:
    amara, mina = office.staff("Amara", "coordinator"), office.staff("Mina", "manager")
    office.change(case_id, owner_id=amara, walled_off=frozenset({amara}))
    office.ask(case_id, "case_overdue", "owner", clock="answer")
    office.ask(case_id, "case_escalated", f"staff:{mina}", clock="answer")

    office.deliver()

    assert server.to == ["mina@muster.example"] * 2, "a manager is told instead of the owner"


def test_a_digest_is_about_no_case(office: Office, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = dict(catalogue.entries())
    digest = MessageKind("manager_digest", Purpose.INTERNAL, "Digest")
    monkeypatch.setattr(catalogue, "entries", lambda: {**entries, digest.kind: catalogue.Entry(digest, "general")})
    mina = office.staff("Mina", "manager")
    none = {"total": 0, "confidential": 0, "cases": []}
    data = dict.fromkeys(("decisions", "overdue", "escalated", "parked"), none)
    data |= {"campaigns": [], "messages": {"failed": 0, "waiting": 0}}
    key = office.ask(None, "manager_digest", f"staff:{mina}", event_seq=None, data=data)

    office.deliver()

    assert server.to == ["mina@muster.example"]
    assert "nothing is late" in office.row(key).body_text


# --- what waits ------------------------------------------------------------------------------------------------------


def test_what_falls_outside_the_window_is_held_and_sent_at_its_opening(
    office: Office, server: Server, case_id: int
) -> None:
    office.now = datetime(2026, 4, 17, 18, 0, tzinfo=UTC)  # Friday, 19:00 in London
    key = office.ask(case_id, "reminder")
    monday = datetime(2026, 4, 20, 7, 0, tzinfo=UTC)

    assert office.deliver().held == 1
    assert (office.row(key).state, office.row(key).not_before) == ("queued", monday)
    office.now = monday - timedelta(seconds=1)
    assert office.deliver().sent == 0
    office.now = monday
    assert office.deliver().sent == 1


def test_a_receipt_leaves_at_night(office: Office, case_id: int) -> None:
    office.now = datetime(2026, 4, 18, 2, 0, tzinfo=UTC)
    office.ask(case_id, "receipt")

    assert office.deliver().sent == 1


def test_an_address_gets_no_more_than_its_budget_in_a_day_and_the_rest_on_the_next(
    office: Office, server: Server
) -> None:
    member_id = office.member(CHANDRA)
    for _ in range(3):
        office.ask(office.case(member_id), "reminder")

    first = office.deliver(batch=2)
    assert (first.sent, first.held) == (2, 1)
    office.now += timedelta(hours=6)
    assert office.deliver().sent == 0
    office.now = datetime(2026, 4, 14, 7, 0, tzinfo=UTC)
    assert office.deliver().sent == 1


def test_receipts_and_legal_notices_do_not_wait_for_the_budget(office: Office, case_id: int) -> None:
    for kind in ("receipt", "notice", "receipt", "notice"):
        office.ask(case_id, kind)

    assert office.deliver().sent == 4


def test_reminders_wait_while_the_case_is_on_hold(office: Office, server: Server, case_id: int) -> None:
    office.change(case_id, on_hold=True)
    office.ask(case_id, "reminder", clock="answer")

    assert office.deliver().held == 1
    office.change(case_id, on_hold=False)
    office.now += timedelta(days=1)
    assert office.deliver().sent == 1


# --- refusals --------------------------------------------------------------------------------------------------------


def test_one_rejected_address_does_not_release_the_batch(office: Office, server: Server) -> None:
    cases = [office.case(parties={"complainant": {"email": f"p{n}@example.org"}}) for n in range(5)]
    for case_id in cases:
        office.ask(case_id, "receipt", "party:complainant")
    server.at_rcpt["p2@example.org"] = "550 5.1.1 no such person p2@example.org"

    report = office.deliver()

    assert (report.sent, report.failed) == (4, 1)
    assert server.to == [f"p{n}@example.org" for n in (0, 1, 3, 4)]
    assert office.deliver().sent == 0
    row = office.row("k3")
    assert (row.state, row.attempts) == ("failed", 1)
    assert "no such person ***" in row.reason


def test_an_address_that_does_not_exist_is_marked_and_the_next_contact_gets_the_message(
    office: Office, server: Server, case_id: int
) -> None:
    key = office.ask(case_id)
    server.at_rcpt[CHANDRA] = "550 5.1.1 unknown"

    report = office.deliver()

    assert server.to == [NEXT]
    assert [(refusal.case_id, refusal.code) for refusal in report.refused] == [(case_id, 550)]
    assert (office.row(key).state, office.row(key).to_email) == ("sent", NEXT)
    with reading(office.engine) as conn:
        status = conn.execute(Contact.__table__.select().where(Contact.email == CHANDRA)).one().status
    assert status == "bounced"


def test_when_the_last_address_is_refused_the_case_is_reported(office: Office, server: Server) -> None:
    case_id = office.case(office.member(CHANDRA))
    office.ask(case_id)
    server.at_rcpt[CHANDRA] = "550 5.1.1 unknown"

    report = office.deliver()

    assert report.unusable == [case_id]
    assert office.states() == {"suppressed": 1}


def test_a_greylisted_message_is_sent_at_the_next_attempt(office: Office, server: Server, case_id: int) -> None:
    key = office.ask(case_id)
    server.at_rcpt[CHANDRA] = lambda attempt: "450 4.7.1 greylisted, come back later" if attempt == 1 else ""

    assert office.deliver().retried == 1
    row = office.row(key)
    assert (row.state, row.attempts, row.not_before) == ("queued", 1, NOW + timedelta(minutes=1))
    assert "greylisted" in row.last_error
    office.now += timedelta(minutes=1)
    assert office.deliver().sent == 1
    assert (office.row(key).attempts, office.row(key).last_error) == (2, None)


def test_after_the_last_attempt_a_message_has_failed_and_says_why(office: Office, server: Server, case_id: int) -> None:
    key = office.ask(case_id)
    server.at_rcpt[CHANDRA] = "452 4.2.2 mailbox full"

    for _ in range(4):
        office.deliver()
        office.now += timedelta(hours=1)

    row = office.row(key)
    assert (row.state, row.attempts) == ("failed", 3)
    assert row.reason == "gave up after 3 attempts: 452 4.2.2 mailbox full"


def test_content_that_is_refused_fails_alone(office: Office, server: Server, case_id: int) -> None:
    first, second = office.ask(case_id, "receipt"), office.ask(case_id, "receipt")
    server.at_data[CHANDRA] = lambda attempt: "554 5.7.1 looks like spam" if attempt == 1 else ""

    report = office.deliver()

    assert (report.sent, report.failed, report.refused) == (1, 1, [])
    assert (office.row(first).state, office.row(second).state) == ("failed", "sent")


def test_a_server_that_refuses_our_sender_stops_the_delivery_and_fails_no_message(
    office: Office, server: Server, case_id: int
) -> None:
    office.ask(case_id)
    server.at_mail = "530 5.7.0 authentication required"

    report = office.deliver()

    assert report.stopped is not None
    assert "authentication required" in report.stopped
    assert office.states() == {"queued": 1}
    assert office.row("k1").attempts == 0


def test_a_server_that_is_not_there_fails_no_message(office: Office, case_id: int) -> None:
    for _ in range(3):
        office.ask(case_id)
    office.use("smtp://127.0.0.1:1")

    report = office.deliver()

    assert report.stopped is not None
    assert office.states() == {"queued": 3}


def test_a_template_that_does_not_work_fails_alone(office: Office, server: Server, case_id: int) -> None:
    broken, good = office.ask(case_id, "broken"), office.ask(case_id, "receipt")
    nightly = office.ask(case_id, "nightly")

    report = office.deliver()

    assert (report.sent, report.failed) == (1, 2)
    assert "nobody" in office.row(broken).reason
    assert office.row(good).state == "sent"
    assert "night" in office.row(nightly).reason


def test_a_kind_that_no_longer_exists_fails_alone(
    office: Office, server: Server, case_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, good = office.ask(case_id, "invitation"), office.ask(case_id, "receipt")
    left = {name: entry for name, entry in catalogue.entries().items() if name != "invitation"}
    monkeypatch.setattr(catalogue, "entries", lambda: left)

    office.deliver()

    assert (office.row(gone).state, office.row(good).state) == ("failed", "sent")


# --- connections and crashes -----------------------------------------------------------------------------------------


def test_a_connection_that_breaks_while_a_message_is_handed_over_is_not_used_to_send_it_again(
    office: Office, server: Server, case_id: int
) -> None:
    key = office.ask(case_id)
    server.at_data[CHANDRA] = lambda attempt: "250 then drop" if attempt == 1 else ""

    report = office.deliver()

    assert report.retried == 1
    assert len(server.got) == 1
    assert "lost while the message was handed over" in office.row(key).last_error
    office.now += timedelta(minutes=1)
    office.deliver()
    assert len(server.got) == 2
    assert len(set(server.ids)) == 1


def test_after_a_dropped_connection_the_others_are_sent_over_a_new_one(office: Office, server: Server) -> None:
    for n in range(3):
        office.ask(office.case(office.member(f"member{n}@example.org")))
    server.at_data["member1@example.org"] = "drop"

    report = office.deliver()

    assert (report.sent, report.retried) == (2, 1)
    assert server.connections == 2


def test_a_connection_the_server_closed_meanwhile_is_opened_again(office: Office, server: Server, case_id: int) -> None:
    with SmtpTransport(office.settings, timeout=5) as transport:
        office.ask(case_id)
        assert office.deliver(transport).sent == 1
        session = transport._session._smtp
        assert session is not None
        assert session.sock is not None
        session.sock.shutdown(socket.SHUT_RDWR)
        office.ask(case_id, "receipt")
        assert office.deliver(transport).sent == 1
    assert server.connections == 2


def test_an_address_the_server_hangs_up_on_does_not_stop_the_others(office: Office, server: Server) -> None:
    for n in range(3):
        office.ask(office.case(office.member(f"member{n}@example.org")))
    server.at_rcpt["member0@example.org"] = "421 4.7.0 too many to this one"

    report = office.deliver()

    assert (report.sent, report.retried, report.stopped) == (2, 1, None)


def test_a_crash_after_the_server_took_it_repeats_that_message_alone_with_the_same_message_id(
    office: Office, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        office.ask(office.case(office.member(f"member{n}@example.org")))
    record_sent = ledger.record_sent

    def crash(conn: Connection, taken: Sequence[ledger.HandedOver], **named: Any) -> None:
        if any(one.message.key == "k2" for one in taken):
            raise OSError("the power went")
        record_sent(conn, taken, **named)

    monkeypatch.setattr(delivery, "WINDOW", 1)
    monkeypatch.setattr(ledger, "record_sent", crash)
    with pytest.raises(OSError, match="power"):
        office.deliver()
    assert office.states() == {"sent": 1, "sending": 1, "queued": 1}

    monkeypatch.setattr(ledger, "record_sent", record_sent)
    assert office.deliver().sent == 1  # the third; the second is still leased
    office.expire_leases()
    assert office.deliver().sent == 1

    assert server.to == ["member0@example.org", "member1@example.org", "member1@example.org", "member2@example.org"]
    assert len(set(server.ids)) == 3
    assert office.states() == {"sent": 3}


def test_a_lease_that_ran_out_is_taken_over(office: Office, case_id: int) -> None:
    key = office.ask(case_id)
    with transaction(office.engine) as conn:
        ledger.claim(conn, "a delivery that died", limit=10, lease=timedelta(minutes=10), now=NOW)

    assert office.deliver().sent == 0
    office.expire_leases()
    assert office.deliver().sent == 1
    assert office.row(key).lease_by is None


def test_a_message_that_deliveries_die_of_is_given_up(office: Office, server: Server, case_id: int) -> None:
    key = office.ask(case_id)
    for _ in range(4):
        with transaction(office.engine) as conn:
            ledger.claim(conn, "a delivery that died", limit=10, lease=timedelta(minutes=10), now=NOW)
        office.expire_leases()

    assert office.deliver().failed == 1
    assert server.got == []
    assert "ended in the middle" in office.row(key).reason


def test_what_the_database_cannot_store_is_replaced_before_it_is_sent(office: Office, case_id: int) -> None:
    key = office.ask(case_id)
    office.payloads[(case_id, 1)] = {"text": "a\0b"}

    assert office.deliver().sent == 1
    assert "a\ufffdb" in office.row(key).body_text


def test_an_address_with_letters_of_its_own_is_written_to(office: Office, server: Server) -> None:
    case_id = office.case(office.member("wētā@wētā.example"))
    office.ask(case_id)

    assert office.deliver().sent == 1
    assert server.to == ["wētā@xn--wt-ela4e.example"]


# --- several commands in one write -----------------------------------------------------------------------------------


def test_refusals_of_every_kind_concern_their_message_alone_when_commands_go_in_one_write(
    office: Office, server: Server
) -> None:
    server.pipelining = True
    cases = [office.case(parties={"complainant": {"email": f"p{n}@example.org"}}) for n in range(7)]
    for case_id in cases:
        office.ask(case_id, "receipt", "party:complainant")
    server.at_rcpt["p1@example.org"] = "550 5.1.1 no such person"
    server.at_rcpt["p2@example.org"] = "450 4.7.1 greylisted"
    server.at_data["p4@example.org"] = "554 5.6.0 bad content"
    server.at_data["p5@example.org"] = "452 4.3.1 no room"

    report = office.deliver()

    assert server.to == [f"p{n}@example.org" for n in (0, 3, 6)]
    assert (report.sent, report.failed, report.retried, report.stopped) == (3, 2, 2, None)
    assert server.connections == 1
    assert "greylisted" in office.row("k3").last_error
    assert "bad content" in office.row("k5").reason


@pytest.mark.parametrize(("at", "connections"), [("rcpt", 3), ("data", 2)])
def test_a_connection_that_ends_in_the_middle_of_a_write_costs_one_message_an_attempt(
    office: Office, server: Server, at: str, connections: int
) -> None:
    server.pipelining = True
    for n in range(3):
        office.ask(office.case(office.member(f"member{n}@example.org")))
    if at == "rcpt":
        server.at_rcpt["member1@example.org"] = "421 4.7.0 too many to this one"
    else:
        server.at_data["member1@example.org"] = "drop"

    report = office.deliver()

    assert (report.sent, report.retried, report.stopped) == (2, 1, None)
    assert server.to == ["member0@example.org", "member2@example.org"]
    assert server.connections == connections, "before any content was sent, a kept connection is opened again once"


def test_a_sender_that_is_refused_stops_the_delivery_also_when_commands_go_in_one_write(
    office: Office, server: Server, case_id: int
) -> None:
    server.pipelining, server.at_mail = True, "530 5.7.0 authentication required"
    office.ask(case_id)

    assert "authentication required" in str(office.deliver().stopped)
    assert office.states() == {"queued": 1}


class Scripted(threading.Thread):
    """A mail server that answers what it reads by heart, so that it can answer as a careless one does."""

    def __init__(self, *turns: tuple[bytes, bytes]) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._turns = turns
        self.heard: list[bytes] = []
        self.port = self._listening.getsockname()[1]
        self.start()

    def run(self) -> None:
        """Say each answer when what comes before it was read."""
        talking, _ = self._listening.accept()
        with talking, self._listening:
            talking.sendall(b"220 here\r\n")
            for until, answer in self._turns:
                heard = b""
                while not heard.endswith(until) and (more := talking.recv(65536)):
                    heard += more
                self.heard.append(heard)
                talking.sendall(answer)


def test_leave_to_go_on_with_a_message_to_nobody_is_given_back() -> None:
    greeting = (b"\r\n", b"250-here\r\n250 PIPELINING\r\n")
    careless = (b"DATA\r\n", b"250 ok\r\n550 5.1.1 no such person\r\n354 go on\r\n")
    server = Scripted(
        greeting, careless, (b".\r\n", b"554 nobody to send it to\r\n"),
        (b"DATA\r\n", b"250 reset\r\n250 ok\r\n250 ok\r\n354 go on\r\n"), (b"\r\n.\r\n", b"250 taken\r\n"),
        (b"quit\r\n", b"221 bye\r\n"),
    )  # fmt: skip
    with SmtpSession(parse_smtp(f"smtp://127.0.0.1:{server.port}"), name="muster.example", timeout=5) as session:
        with pytest.raises(NeverDeliverable, match="no such person"):
            session.hand_over("us@muster.example", "dov@example.org", b"Subject: one\r\n\r\n.one\r\n")
        session.hand_over("us@muster.example", CHANDRA, b"Subject: two\r\n\r\n.two\r\n")
    server.join()

    assert [heard.strip() for heard in server.heard[1:]] == [
        b"MAIL FROM:<us@muster.example>\r\nRCPT TO:<dov@example.org>\r\nDATA",
        b".",
        b"RSET\r\nMAIL FROM:<us@muster.example>\r\nRCPT TO:<chandra@example.org>\r\nDATA",
        b"Subject: two\r\n\r\n..two\r\n.",
        b"quit",
    ]


# --- what a crash can repeat -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "repeated"), [(3600.0, 3), (0.0, 1)], ids=["a quick server", "a slow one"])
def test_a_crash_repeats_no_more_than_the_window_and_with_a_slow_server_one(
    office: Office, server: Server, monkeypatch: pytest.MonkeyPatch, seconds: float, repeated: int
) -> None:
    monkeypatch.setattr(delivery, "WINDOW", 3)
    monkeypatch.setattr(delivery, "WINDOW_SECONDS", seconds)
    for n in range(8):
        office.ask(office.case(office.member(f"member{n}@example.org")))

    class PowerCut(BaseException):
        """Nothing is written down after it."""

    record_sent = ledger.record_sent

    def record(*given: Any, **named: Any) -> None:
        if len(server.got) > 5:
            raise PowerCut
        record_sent(*given, **named)

    with monkeypatch.context() as crashing, pytest.raises(PowerCut):
        crashing.setattr(ledger, "record_sent", record)
        office.deliver()
    office.expire_leases()
    office.deliver()

    assert len(server.got) == 8 + repeated
    assert len(set(server.ids)) == 8
    assert office.states() == {"sent": 8}


def test_what_was_handed_over_is_written_down_when_the_server_goes_away(office: Office, server: Server) -> None:
    for n in range(3):
        office.ask(office.case(office.member(f"member{n}@example.org")))

    class Going:
        """A transport whose server goes after the second message."""

        def __init__(self) -> None:
            self.taken = 0

        def send(self, mail: Any) -> None:
            """Take two."""
            if self.taken == 2:
                raise ServerGone(0, "it is gone")
            self.taken += 1

        def close(self) -> None:
            """Nothing to end."""

    report = office.deliver(Going())

    assert (report.sent, report.stopped) == (2, "it is gone")
    assert office.states() == {"queued": 1, "sent": 2}


def test_mail_is_delivered_with_the_signature_of_the_organisation(
    office: Office, server: Server, case_id: int, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    path = tmp_path / "dkim.pem"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    office.settings = office.settings.model_copy(update={"dkim_key": path})
    office.payloads[(case_id, 1)] = {"text": ".Kia ora — Łódź\n.\n..two"}
    office.ask(case_id)

    assert office.deliver().sent == 1
    [raw] = server.raw
    assert b" d=muster.example;" in raw
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)


# --- encryption and passwords ----------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """What a server shows that nobody vouches for."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    plain = serialization.NoEncryption()
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


@contextmanager
def serving(script: Server, **options: Any) -> Iterator[int]:
    """A second server with the same script and other manners; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    controller = Controller(script, hostname="127.0.0.1", port=port, server_hostname="mail.test", **options)
    controller.start()
    yield port
    controller.stop()


def test_a_server_that_offers_encryption_gets_it_whoever_it_is(
    office: Office, server: Server, case_id: int, certificate: ssl.SSLContext
) -> None:
    office.ask(case_id)
    with serving(server, tls_context=certificate, require_starttls=True) as port:
        office.use(f"smtp://127.0.0.1:{port}")
        assert office.deliver().sent == 1


@pytest.mark.parametrize("encrypted", [True, False], ids=["a stranger", "nothing offered"])
def test_where_encryption_is_asked_for_neither_strangers_nor_plain_text_will_do(
    office: Office, server: Server, case_id: int, certificate: ssl.SSLContext, encrypted: bool
) -> None:
    office.ask(case_id)
    with serving(server, tls_context=certificate if encrypted else None) as port:
        office.use(f"smtp+starttls://127.0.0.1:{port}")
        report = office.deliver()

    assert report.stopped is not None
    assert server.got == []
    assert office.states() == {"queued": 1}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "sent"), [("right", 1), ("wrong", 0)])
def test_a_wrong_password_stops_the_delivery_and_is_not_repeated_to_anybody(
    office: Office, server: Server, case_id: int, password: str, sent: int
) -> None:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"muster", b"right"))

    office.ask(case_id)
    with serving(server, authenticator=check, auth_required=True, auth_require_tls=False) as port:
        office.use(f"smtp://muster:{password}@127.0.0.1:{port}")
        report = office.deliver()

    assert report.sent == sent
    assert (report.stopped is None) == bool(sent)
    assert password not in str(report.stopped)


# --- what a refusal means --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "meaning", "bad_address"),
    [
        (450, "4.2.0 greylisted", TryLater, None),
        (421, "closing", TryLater, None),
        (550, "5.1.1 no such user", NeverDeliverable, True),
        (550, "no such user", NeverDeliverable, True),
        (550, "5.2.1 mailbox disabled", NeverDeliverable, True),
        (552, "5.2.2 mailbox full", TryLater, None),
        (554, "5.7.1 relay access denied", TryLater, None),
        (554, "5.6.0 bad content", NeverDeliverable, False),
    ],
)
def test_only_what_is_the_addresss_fault_is_held_against_it(
    code: int, text: str, meaning: type[Exception], bad_address: bool | None
) -> None:
    error = refused_recipient(code, text)

    assert type(error) is meaning
    assert getattr(error, "bad_address", None) == bad_address


def test_what_a_server_says_is_kept_short_and_without_addresses() -> None:
    words = said(b"5.1.1 <chandra@example.org>: user\r\nunknown " + b"x" * 999)

    assert words.startswith("5.1.1 <***>: user unknown x")
    assert len(words) == 300


def test_attempts_are_further_and_further_apart_until_the_last() -> None:
    mail = MailPolicy(attempts=4, retry_minutes=(1, 5))
    later = [after_failure(n, OutcomeUnknown(0, "lost"), mail, now=NOW) for n in (1, 2, 3)]

    assert later == [SendAgain(NOW + timedelta(minutes=n)) for n in (1, 5, 5)]
    assert after_failure(4, TryLater(450, "full"), mail, now=NOW) == GiveUp("gave up after 4 attempts: 450 full")
    assert isinstance(after_failure(1, NeverDeliverable(550, "no"), mail, now=NOW), GiveUp)
    assert isinstance(ServerGone(0, "gone"), Exception)
