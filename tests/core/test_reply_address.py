"""Where mail comes back to: the address with its tag on what leaves, and the mailbox as one setting."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest

from config.imap import parse_imap
from config.settings import Settings, SettingsError, load_settings
from notifications.transport import Mail, SmtpTransport, build

SENDER = ("Membership team", "membership@muster.example")


def a_mail(reply_to: str | None) -> Mail:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return Mail(
        "<1@muster.example>", "jo@members.example", "Jo", "Hello", "text", "<p>text</p>", now, reply_to=reply_to
    )


def test_answers_and_bounces_go_to_the_address_with_the_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[str] = []
    transport = SmtpTransport(Settings(mail_from="Us <membership@muster.example>"))
    monkeypatch.setattr(transport._session, "hand_over", lambda sender, *_, **__: handed.append(sender))
    for reply_to in ("replies+abc@muster.example", None):
        transport.send(a_mail(reply_to))
        assert message_from_bytes(build(a_mail(reply_to), sender=SENDER))["Reply-To"] == reply_to
    assert handed == ["replies+abc@muster.example", "membership@muster.example"]


def test_the_mailbox_is_one_setting() -> None:
    found = parse_imap("imaps://jo%40b.example:p%3Aw@mail.example/INBOX/Muster")
    assert (found.host, found.port, found.user, found.folder, found.tls) == (
        "mail.example", 993, "jo@b.example", "INBOX/Muster", "implicit",
    )  # fmt: skip
    assert found.password.get_secret_value() == "p:w"
    assert "p:w" not in found.name + repr(found)
    assert parse_imap("imap+starttls://a:b@mail.example").folder == "INBOX"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MUSTER_IMAP_URL", "imap://a:topsecret@mail.example"),
        ("MUSTER_IMAP_URL", "imaps://a@mail.example"),
        ("MUSTER_IMAP_URL", "imaps://a:topsecret@mail.example:99999"),
        ("MUSTER_IMAP_URL", "pop3://a:topsecret@mail.example"),
        ("MUSTER_REPLY_ADDRESS", "replies+x@example.org"),
        ("MUSTER_REPLY_ADDRESS", "Us <replies@example.org>"),
        ("MUSTER_REPLY_ADDRESS", "replies@example.org\nBcc: a@b.example"),
        ("MUSTER_MAIL_SPOOL", "/nowhere/at/all"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_the_password(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"MUSTER_HOME": str(tmp_path), name: value})
    assert str(refused.value).startswith(name)
    assert "topsecret" not in str(refused.value)
