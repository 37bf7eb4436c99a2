"""Delivering a campaign's invitations to a sink on this machine, beside Postfix's smtp-source to the same sink.

What Muster does for each message: claim it, decide again whether it is still wanted, render subject, text and page with
a personal link, build the message, hand it over, and write down word for word what was sent. smtp-source sends the same
bytes over and over and does nothing else. All take turns in slices, so that whatever else the machine does concerns all
of them; what is compared is the ratio.
"""

from __future__ import annotations

import smtplib
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from statistics import mean
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select, text

from bench.launch import campaign, launch
from bench.organisation import organisation
from bench.sink import MISSING, Sink, sink, tool
from bench.sweep import timed
from cases.delivering import deliver
from cases.environment import Environment
from config.clock import monotonic
from config.database import reading, transaction
from members import store as members
from notifications import delivery, ledger
from notifications.tables import MessageRow
from notifications.transport import Mail, SmtpTransport, build

SLICES = 4
SENDER = "membership@muster.example"
MUSTER, ONE, SOURCE, RECONNECTING, SMTPLIB = (
    "Muster", "Muster, one connection", "smtp-source, one connection kept (-d)",
    "smtp-source as it comes, a connection a message", "smtplib, one connection, messages built before",
)  # fmt: skip


def measure(count: int = 20_000) -> dict[str, list[dict[str, Any]]]:
    """Return what was delivered a second, by whom, beside smtp-source as it comes (smtplib where that is missing), and
    the microseconds of each part of the work.

    Raises RuntimeError when not everything arrived.
    """
    if tool("smtp-source") is None:
        print(MISSING)
    with organisation() as env, sink() as found:
        env = _with_mail(env, found)
        _invite(env, count)
        built: list[bytes] = []
        seconds, sent = _slices(env, found, count, built)
        spans = _where_time_goes(env, sent)
    if found.arrived != sum(sent.values()) or sent[MUSTER] + sent[ONE] < count:
        raise RuntimeError(f"{found.arrived:,} messages arrived, {sum(sent.values()):,} were sent.")
    rates = {name: sent[name] / seconds[name] for name in seconds}
    floor = rates.get(RECONNECTING, rates[SMTPLIB])
    rows = [{"name": n, "size": sent[n], "rate": r, "ratio": r / floor} for n, r in rates.items()]
    return {"delivery": rows, "spans": [{"bytes_of_a_message": _length(built), **spans}]}


def _with_mail(env: Environment, found: Sink) -> Environment:
    mail = {
        "smtp_url": SecretStr(f"smtp://{found.host}:{found.port}"), "mail_from": f"Membership team <{SENDER}>",
        "reply_address": "replies@muster.example",
    }  # fmt: skip
    return replace(env, settings=env.settings.model_copy(update=mail))


def _invite(env: Environment, count: int) -> None:
    """Launch a campaign to so many members who can be written to; nothing of it is due yet."""
    ref = campaign(env, count)
    with transaction(env.engine) as conn:
        ids = conn.execute(text("SELECT id FROM members ORDER BY id")).scalars()
        people = [
            {"member_id": n, "position": 0, "name": f"Zoë Łoś {n}", "email": f"m{n}@members.example", "role": "primary"}
            for n in ids
        ]
        members.insert_contacts(conn, people)
    launch(env, ref)
    with transaction(env.engine) as conn:
        conn.execute(text("UPDATE messages SET not_before = not_before + interval '1 year' WHERE state = 'queued'"))
    with env.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")


def _slices(env: Environment, found: Sink, count: int, built: list[bytes]) -> tuple[dict[str, float], dict[str, int]]:
    """Let all take turns; return the seconds and messages of each."""
    seconds: dict[str, float] = defaultdict(float)
    sent: dict[str, int] = defaultdict(int)
    size = count // (2 * SLICES + 1)
    for _ in range(SLICES):
        turns: dict[str, Callable[[], int]] = {}
        for name, connections in ((MUSTER, env.policy.mail.connections), (ONE, 1)):
            turns[name] = partial(_deliver, env, connections)
        turns[SMTPLIB] = partial(_smtplib, found, built)
        if program := tool("smtp-source"):
            turns[SOURCE] = partial(_source, [program, "-d"], found, built)
            turns[RECONNECTING] = partial(_source, [program], found, built)
        for name, turn in turns.items():
            if name in {MUSTER, ONE}:
                _make_due(env, size)
            done, took = timed(turn)
            sent[name] += done
            seconds[name] += took
            built[:] = built or _built(env, size)
    return seconds, sent


def _deliver(env: Environment, connections: int) -> int:
    return deliver(_connecting(env, connections)).sent


def _connecting(env: Environment, connections: int) -> Environment:
    mail = env.policy.mail.model_copy(update={"connections": connections})
    return replace(env, policy=env.policy.model_copy(update={"mail": mail}))


def _make_due(env: Environment, count: int) -> None:
    with transaction(env.engine) as conn:
        conn.execute(text("""
            UPDATE messages SET not_before = not_before - interval '1 year' WHERE id IN
              (SELECT id FROM messages WHERE kind = 'survey_invitation' AND state = 'queued' ORDER BY id LIMIT :count)
        """), {"count": count})  # fmt: skip


def _built(env: Environment, count: int) -> list[bytes]:
    """Return what Muster has sent, as bytes."""
    row = MessageRow.__table__.c
    with reading(env.engine) as conn:
        found = conn.execute(select(MessageRow.__table__).where(row.state == "sent").limit(count)).all()
    mails = (
        Mail(r.message_id, r.to_email, r.to_name, r.subject, r.body_text, r.body_html, r.sent_at, "SR-2026-000001",
             reply_to="replies+abcdefghijklmnopqr@muster.example")
        for r in found
    )  # fmt: skip
    return [build(mail, sender=("Membership team", SENDER)) for mail in mails]


def _smtplib(found: Sink, built: list[bytes]) -> int:
    with smtplib.SMTP(found.host, found.port) as smtp:
        for content in built:
            smtp.sendmail(SENDER, ["chandra@members.example"], content)
    return len(built)


def _source(program: list[str], found: Sink, built: list[bytes]) -> int:
    what = ["-s", "1", "-m", str(len(built)), "-l", str(_length(built)), "-f", SENDER, "-t", "chandra@members.example"]
    subprocess.run([*program, *what, f"{found.host}:{found.port}"], check=True)  # noqa: S603  as found on this machine
    return len(built)


def _length(built: list[bytes]) -> int:
    return round(mean(map(len, built)))


# ---------------------------------------------------------------------------------------------- where the time goes

_PARTS: tuple[tuple[str, Any, str], ...] = (
    ("claim", ledger, "claim"), ("decide", delivery, "decide"), ("render", delivery, "render"),
    ("record", delivery._Run, "_record"), ("build, hand over", SmtpTransport, "send"),
)  # fmt: skip


def _where_time_goes(env: Environment, sent: dict[str, int]) -> dict[str, float]:
    """Deliver a last slice over one connection and return the microseconds a message of each part of the work."""
    _make_due(env, 10**9)
    with _clocked() as spans:
        done, took = timed(partial(_deliver, env, 1))
    sent[ONE] += done
    return {**{name: 1e6 * span / max(done, 1) for name, span in spans.items()}, "all": 1e6 * took / max(done, 1)}


@contextmanager
def _clocked() -> Iterator[dict[str, float]]:
    """Yield the seconds that the parts take from now on."""
    spans = {name: 0.0 for name, _, _ in _PARTS}
    before = [(place, attribute, getattr(place, attribute)) for _, place, attribute in _PARTS]
    for name, place, attribute in _PARTS:
        setattr(place, attribute, _clocking(getattr(place, attribute), name, spans))
    try:
        yield spans
    finally:
        for place, attribute, really in before:
            setattr(place, attribute, really)


def _clocking(really: Callable[..., Any], name: str, spans: dict[str, float]) -> Callable[..., Any]:
    def clocked(*given: Any, **named: Any) -> Any:
        began = monotonic()
        try:
            return really(*given, **named)
        finally:
            spans[name] += monotonic() - began

    return clocked
