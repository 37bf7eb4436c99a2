"""Mail servers that do what they must not: every message is settled or waits, and none is sent twice without need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from cases.commands import fire, open_one
from cases.delivering import deliver
from cases.environment import Environment
from config.clock import monotonic
from config.database import transaction
from notifications.transport import SmtpTransport
from notifications.values import DeliveryReport
from tests.cast import MONDAY, Cast
from tests.faults.kept import broken
from tests.faults.mail_server import (
    DROP,
    FLOOD,
    GARBAGE,
    STALL,
    TRICKLE,
    MailServer,
    Script,
    always,
    mail_server,
    only,
)
from tests.pages.case_cast import ACKNOWLEDGED

ANN, BEN, CID = (f"{name}@example.org" for name in ("ann", "ben", "cid"))
PATIENCE = 0.4
"""Seconds without an answer after which a mail server is taken for gone, in these tests."""
BUDGET = 20.0
"""Far more than any row takes, and far less than a server that never ends would take."""


@dataclass(frozen=True)
class Row:
    """What a server does, and what becomes of three messages, to Ann, Ben and Cid in this order."""

    what: str
    script: Script
    first: str
    """After the first delivery: s sent, f failed, q waits and an attempt was counted, o waits and none was."""
    stopped: bool = False
    """Whether the delivery gave this server up."""
    twice: str = ""
    """Who gets the message twice, both times with the same Message-ID: the server had it and did not say so."""


TABLE = (
    Row("it is as it should be", Script(), "sss"),
    Row("it refuses with its greeting for now", Script(greeting="421 4.3.2 too busy"), "ooo", stopped=True),
    Row("it refuses with its greeting for good", Script(greeting="554 no mail here"), "ooo", stopped=True),
    Row("it says nothing, not even a greeting", Script(greeting=STALL), "ooo", stopped=True),
    Row("it hangs up before its greeting", Script(greeting=DROP), "ooo", stopped=True),
    Row("its greeting is not one", Script(greeting=GARBAGE), "ooo", stopped=True),
    Row("its greeting never ends", Script(greeting=TRICKLE), "ooo", stopped=True),
    Row("it knows no EHLO", Script(ehlo="502"), "sss"),
    Row("it answers a byte at a time", Script(byte_by_byte=True), "sss"),
    Row("its answers are very long", Script(rcpt=always(f"250 {'x' * 2000}")), "sss"),
    Row("it offers nothing", Script(offers=()), "sss"),
    Row("it promises TLS and has none", Script(offers=("STARTTLS",)), "ooo", stopped=True),
    Row("it promises TLS and talks nonsense", Script(offers=("STARTTLS",), starttls="220 go\r\nno TLS"), "ooo",
        stopped=True),
    Row("it closes after each message", Script(messages_each=1), "sss"),
    Row("it refuses our sender", Script(mail=always("550 5.7.1 not from you")), "ooo", stopped=True),
    Row("it cannot take our sender now", Script(mail=always("451 4.3.0 try later")), "qqq"),
    Row("it takes no mail of this size", Script(mail=always("552 5.3.4 too big")), "fff"),
    Row("it closes at the sender", Script(mail=always("421 4.7.0 closing")), "ooo", stopped=True),
    Row("it makes everybody wait once",
        Script(rcpt=lambda address, time: "450 4.7.1 greylisted" if time == 1 else "250 OK"), "qqq"),
    Row("it cannot take one address now", Script(rcpt=only(BEN, "451 4.3.0 later")), "sqs"),
    Row("it does not know one address", Script(rcpt=only(BEN, "550 5.1.1 unknown")), "sfs"),
    Row("it hangs up at one address", Script(rcpt=only(ANN, DROP)), "qss"),
    Row("it falls silent at one address", Script(rcpt=only(BEN, STALL)), "sqs"),
    Row("its answer about one address is none", Script(rcpt=only(ANN, GARBAGE)), "qss"),
    Row("its answer about one address is too long", Script(rcpt=only(ANN, f"250 {'x' * 20_000}")), "qss"),
    Row("its answer about one address never ends", Script(rcpt=only(ANN, TRICKLE)), "qss"),
    Row("its answers about one address have no end", Script(rcpt=only(ANN, FLOOD)), "qss"),
    Row("it wants no content now", Script(data=only(BEN, "451 4.3.0 later", "354 go on")), "sqs"),
    Row("it wants no content at all", Script(data=only(BEN, "554 5.7.1 no", "354 go on")), "sfs"),
    Row("it takes the word DATA for a message", Script(data=only(ANN, "250 OK", "354 go on")), "qss"),
    Row("it falls silent at the word DATA", Script(data=only(BEN, STALL, "354 go on")), "sqs"),
    Row("it hangs up at the word DATA", Script(data=only(CID, DROP, "354 go on")), "ssq"),
    Row("it finds one message too big", Script(end=only(BEN, "552 5.3.4 too big")), "sfs"),
    Row("it finds one mailbox full", Script(end=only(BEN, "552 5.2.2 mailbox full")), "sqs"),
    Row("it cannot store one message now", Script(end=only(BEN, "451 4.3.0 later")), "sqs"),
    Row("it hangs up after the final dot", Script(end=only(BEN, DROP)), "sqs", twice=BEN),
    Row("it falls silent after the final dot", Script(end=only(BEN, STALL)), "sqs", twice=BEN),
    Row("it says yes to one message twice", Script(end=only(ANN, "250 OK\r\n250 OK")), "sqs"),
    Row("its last word is none", Script(end=only(BEN, GARBAGE)), "sqs", twice=BEN),
)  # fmt: skip


@dataclass
class Office:
    """Three messages that wait, and a mail server."""

    cast: Cast
    server: MailServer
    env: Environment = field(init=False)

    def __post_init__(self) -> None:
        url = SecretStr(f"smtp://127.0.0.1:{self.server.port}")
        self.env = replace(self.cast.env, settings=self.cast.env.settings.model_copy(update={"smtp_url": url}))
        amara = self.cast.actor("Amara")
        for address in (ANN, BEN, CID):
            told = {"category": "pool", "description": "Cold", "complainant_name": "Zoë", "complainant_email": address}
            opened = open_one(self.env, "complaint", member=None, subject="Pool", payload=told, actor=amara)
            fire(self.env, opened.after.ref, "acknowledge", payload=ACKNOWLEDGED, actor=amara)
        assert self.deliver().sent >= 3

    def deliver(self, later: timedelta = timedelta(0)) -> DeliveryReport:
        """Send what is due."""
        with SmtpTransport(self.env.settings, timeout=PATIENCE) as transport:
            return deliver(self.env, transport=transport, budget_seconds=BUDGET, now=MONDAY + later)

    def begin(self, script: Script) -> None:
        """Let the three messages wait again, and the server follow another script."""
        self.server.follow(script)
        with transaction(self.env.engine) as conn:
            conn.execute(text(
                "UPDATE messages SET state = 'queued', attempts = 0, sent_at = NULL, decided_at = NULL, reason = NULL,"
                " to_email = NULL, last_error = NULL, not_before = created_at WHERE kind = 'complaint_acknowledged'"
            ))  # fmt: skip

    def states(self) -> str:
        """Return what became of the three, in their order."""
        rows = self.cast.rows(
            "SELECT state, attempts FROM messages WHERE kind = 'complaint_acknowledged' ORDER BY case_id"
        )
        waits = {0: "o", 1: "q"}
        return "".join(row.state[0] if row.state != "queued" else waits.get(row.attempts, "?") for row in rows)


@pytest.fixture
def office(cast: Cast) -> Iterator[Office]:
    """Three messages that wait, and a mail server."""
    with mail_server() as server:
        yield Office(cast, server)


@pytest.mark.parametrize("pipelining", [False, True], ids=["one command at a time", "with pipelining"])
def test_whatever_a_mail_server_does_each_message_is_settled_by_itself(office: Office, *, pipelining: bool) -> None:
    wrong = {}
    for row in TABLE:
        offers = (*row.script.offers, *(["PIPELINING"] if pipelining else []))
        found = _lived_through(office, replace(row.script, offers=offers))
        expected = {
            "first": row.first, "stopped": row.stopped, "took too long": False,
            "then": "".join("f" if one == "f" else "s" for one in row.first),
            "twice": {row.twice} if row.twice else set(), "numbers differ": False,
        }  # fmt: skip
        if found != expected:
            wrong[row.what] = {name: found[name] for name in found if found[name] != expected[name]}
    assert wrong == {}
    assert broken(office.cast) == []


def _lived_through(office: Office, script: Script) -> Mapping[str, object]:
    """Deliver with this server, and then, a day later, with one that is as it should be; say what became of it."""
    office.begin(script)
    began = monotonic()
    report = office.deliver()
    took, first = monotonic() - began, office.states()
    office.server.script = Script()
    office.deliver(timedelta(days=1))
    times = Counter(address for address, _ in office.server.took)
    return {
        "first": first, "stopped": report.stopped is not None, "took too long": took > BUDGET, "then": office.states(),
        "twice": {address for address, n in times.items() if n > 1},
        "numbers differ": len(set(office.server.took)) != len(times),
    }  # fmt: skip
