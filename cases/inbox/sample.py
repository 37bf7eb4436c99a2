"""Mail for the demo, as it might have come in: a reply, an automatic one, a full mailbox, a stranger's question."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from sqlalchemy import select

from cases.environment import Environment
from cases.tables import CaseRow
from config.database import reading
from notifications.tables import SENT, MessageRow

_FULL = (
    "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.2.2\n"
    "Diagnostic-Code: smtp; 552 5.2.2 The mailbox is full\n"
)


def sample_mail(env: Environment) -> list[bytes]:
    """Return some mail about messages of this installation; less where little was sent yet."""
    wanted = (
        select(MessageRow.to_email, MessageRow.to_name, MessageRow.subject, MessageRow.message_id)
        .join(CaseRow, CaseRow.id == MessageRow.case_id)
        .where(MessageRow.state == SENT, MessageRow.contact_id.is_not(None), CaseRow.closed_at.is_(None))
        .order_by(MessageRow.id.desc()).limit(3)
    )  # fmt: skip
    with reading(env.engine) as conn:
        ours = conn.execute(wanted).all()
    written = (_reply, _away, _full)
    return [make(message) for make, message in zip(written, ours, strict=False)] + [_stranger()]


def _reply(ours: Any) -> bytes:
    words = "Thank you for writing.\n\nThe figures come from our auditor. Could we have until the end of next week?"
    return _answer(ours, f"Re: {ours.subject}", words).as_bytes()


def _away(ours: Any) -> bytes:
    found = _answer(ours, f"Automatic reply: {ours.subject}", "I am out of the office and will be back on 6 April.")
    found["Auto-Submitted"] = "auto-replied"
    return found.as_bytes()


def _answer(ours: Any, subject: str, words: str) -> EmailMessage:
    found = _mail(ours.to_name or "", ours.to_email, subject, words)
    found["In-Reply-To"] = ours.message_id
    return found


def _full(ours: Any) -> bytes:
    report = _FULL.format(to=ours.to_email)
    return (
        "Return-Path: <>\nFrom: Mail Delivery System <mailer-daemon@mx.example>\nSubject: Undelivered mail\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\nYour message could not be delivered.\n\n--b\n"
        f"Content-Type: message/delivery-status\n\n{report}\n--b\nContent-Type: text/rfc822-headers\n\n"
        f"Message-ID: {ours.message_id}\n--b--\n"
    ).encode()


def _stranger() -> bytes:
    words = "Good morning,\n\nI was told to ask you whether our membership covers the second site as well."
    return _mail("Robin Ash", "robin.ash@elsewhere.example", "A question about a second site", words).as_bytes()


def _mail(name: str, address: str, subject: str, words: str) -> EmailMessage:
    found = EmailMessage()
    found["From"] = f'"{"".join(sign for sign in name if sign.isalnum() or sign in " -")}" <{address}>'
    found["Subject"] = " ".join(subject.split())
    found.set_content(words)
    return found
