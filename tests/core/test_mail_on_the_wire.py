"""The message as it goes over the wire: filled in quickly, and the same as the emails library would have built it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

import dkim  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from emails.message import Message
from hypothesis import example, given
from hypothesis import strategies as st

import config.dkim
from config.settings import Settings, SettingsError, load_settings
from notifications import headers
from notifications.smtp import _ended
from notifications.transport import Mail, build, signer
from notifications.wording import one_line

SENDER = ("Membership team, North", "membership@muster.example")
NOW = datetime(2026, 4, 13, 8, 0, tzinfo=UTC)

ODD = [
    "Wētā FX, Limited",
    "שלום עולם",
    "e\u0301 n\u0303",
    "👩‍👩‍👧 Łódź",
    'the "big" one',
    "a\\b",
    "=?utf-8?q?no?=",
    "x" * 300,
]
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=400) | st.sampled_from(ODD)
lines = st.lists(text | st.sampled_from([".", "..", ".x", "From me", "--", "\r", "\n", "\r\n.\r\n", "x" * 2000])).map(
    "\n".join
)


def a_mail(**changes: Any) -> Mail:
    """A message with boring values."""
    given_: dict[str, Any] = {
        "message_id": "<abc@muster.example>", "to_email": "chandra@example.org", "to_name": "Chandra Rao",
        "subject": "Hello", "text": "Hello\n", "html": "<p>Hello</p>\n", "date": NOW, **changes,
    }  # fmt: skip
    return Mail(**given_)


def as_the_library_builds_it(mail: Mail) -> bytes:
    """The whole message built by the library, for comparison."""
    others = {"Auto-Submitted": "auto-generated"}
    others |= {"Reply-To": mail.reply_to} if mail.reply_to else {}
    others |= {"X-Muster-Case": one_line(mail.case_ref, 80)} if mail.case_ref else {}
    if mail.unsubscribe:
        others["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        others["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = Message(
        subject=one_line(mail.subject, 200), mail_from=SENDER, text=mail.text, html=mail.html, headers=others,
        mail_to=(one_line(mail.to_name, 100) or None, mail.to_email), date=format_datetime(mail.date),
        message_id=mail.message_id,
    )  # fmt: skip
    return bytes(message.build_message().as_bytes(linesep="\r\n"))


def parsed(raw: bytes) -> EmailMessage:
    """What a reader's program makes of it."""
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def what_it_says(message: EmailMessage) -> dict[str, Any]:
    """Headers by name and all parts, decoded; without the boundaries, which mean nothing."""
    said: dict[str, Any] = {name.lower(): str(value).strip() for name, value in message.items()}
    said["content-type"] = [part.get_content_type() for part in message.walk()]
    said["parts"] = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    said["charsets"] = [part.get_content_charset() for part in message.walk() if not part.is_multipart()]
    return said


@given(subject=text, to_name=text, body=lines, page=lines, ref=st.none() | text)
@example(subject="Tēnā koe — Łódź", to_name="Wētā FX, Limited", body=".\r\n.\r\nKia ora\r", page="<p>.</p>", ref="MC-1")
@example(subject="ā" * 200, to_name="ā" * 100, body="ā" * 5_000, page="\n.\n", ref="ā" * 80)
@example(subject="word " * 39, to_name="a b " * 24, body="x" * 5_000, page="🎉" * 500, ref="r " * 39)
def test_a_message_says_what_was_meant_and_what_the_library_would_have_said(
    subject: str, to_name: str, body: str, page: str, ref: str | None
) -> None:
    mail = a_mail(
        subject=subject, to_name=to_name, text=f"{body}\n", html=f"{page}\n", case_ref=ref,
        reply_to="replies+abc@muster.example", unsubscribe="https://muster.example/unsubscribe/" + "x" * 60,
    )  # fmt: skip
    raw = build(mail, sender=SENDER)
    found = parsed(raw)
    said = what_it_says(found)

    assert said["subject"] == one_line(subject, 200)
    assert [to.addr_spec for to in found["To"].addresses] == ["chandra@example.org"]
    assert said["parts"] == [f"{body}\n".encode(), f"{page}\n".encode()]
    if "=?" not in subject + to_name + (ref or ""):  # there the library lets the reader decode what was never encoded
        theirs = what_it_says(parsed(as_the_library_builds_it(mail)))
        assert {name: said[name] for name in theirs if name != "to"} == {n: theirs[n] for n in theirs if n != "to"}
    assert all(not part.defects for part in found.walk())
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n")


@given(text)
@example('"')
@example("\\")
@example("Rao, Chandra (chair) <x@y>")
@example("=?utf-8?b?SGk=?=")
def test_a_name_arrives_as_it_was_written(name: str) -> None:
    written = one_line(name, 100)

    found = message_from_bytes(build(a_mail(to_name=name), sender=SENDER))["To"]
    phrase, address = parseaddr(found.replace("\r\n", "").replace("\n", ""))  # decoded by hand: the newer parser of
    # the standard library puts spaces between the words of a long name
    assert (str(make_header(decode_header(phrase))), address) == (written, "chandra@example.org")


@given(text)
def test_no_line_of_a_header_is_longer_than_encoded_words_may_be(value: str) -> None:
    value = one_line(value, 200)
    for written in (headers.line("Subject", value), headers.mailbox("To", value, "chandra@example.org")):
        for one in written.split(b"\r\n"):
            assert len(one) <= 76 or b"=?" not in one


@given(st.lists(st.sampled_from([b".", b"..", b"a", b"\r", b"\n", b"\r\n", b"\0"])).map(b"".join))
def test_nothing_in_a_message_can_end_it(content: bytes) -> None:
    sent = _ended(content)

    whole, end, rest = sent.partition(b"\r\n.\r\n") if not sent.startswith(b".\r\n") else (b"", sent, b"")
    assert (end, rest) != (b"", b""), "it ends"
    assert rest == b"", "and once"
    received = b"\r\n".join(line.removeprefix(b".") for line in whole.split(b"\r\n"))
    assert b"\n" not in received.replace(b"\r\n", b"")
    assert b"\r" not in received.replace(b"\r\n", b"")
    wanted = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert received.removesuffix(b"\r\n") == wanted.removesuffix(b"\r\n") or received + b"\r\n" == wanted


# --- signatures ------------------------------------------------------------------------------------------------------


def a_key(folder: Path, bits: int = 2048, *, ends: str = "\n") -> tuple[Path, bytes]:
    """A private key in a file, and what the DNS says of it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    path = folder / "dkim.pem"
    path.write_bytes(pem.replace(b"\n", ends.encode()))
    return path, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_mail_is_signed_where_a_key_is_set(tmp_path: Path, ends: str) -> None:
    path, record = a_key(tmp_path, ends=ends)
    asked: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    settings = load_settings(
        {"MUSTER_HOME": str(tmp_path), "MUSTER_DKIM_KEY": str(path), "MUSTER_DKIM_SELECTOR": "post2026",
         "MUSTER_MAIL_FROM": "Us <us@wētā.example>"}
    )  # fmt: skip
    raw = build(a_mail(to_name="Wētā"), sender=SENDER, signer=signer(settings))

    assert dkim.verify(raw, dnsfunc=dns)
    assert asked == [b"post2026._domainkey.xn--wt-ela4e.example."]
    assert not dkim.verify(raw + b"more\r\n", dnsfunc=dns)
    added = raw.replace(b"\r\nTo:", b"\r\nFrom: somebody@else.example\r\nTo:")
    assert added != raw
    assert not dkim.verify(added, dnsfunc=dns)
    assert not dkim.verify(raw.replace(b"auto-generated", b"no"), dnsfunc=dns)


def test_a_way_out_with_one_click_is_signed(tmp_path: Path) -> None:
    path, record = a_key(tmp_path)
    sealed = signer(Settings(dkim_key=path, dkim_domain="example.org"))

    raw = build(a_mail(unsubscribe="https://muster.example/unsubscribe/x"), sender=SENDER, signer=sealed)

    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)
    assert not dkim.verify(raw.replace(b"=One-Click", b"=No"), dnsfunc=lambda name, timeout=5: record)


def test_without_a_key_nothing_is_signed() -> None:
    assert signer(Settings()) is None


def no_rsa_key(folder: Path) -> Path:
    """A key of another kind."""
    key = ec.generate_private_key(ec.SECP256R1())
    plain = serialization.NoEncryption()
    path = folder / "ec.pem"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return path


def test_a_key_that_cannot_sign_is_refused_at_the_start_and_not_repeated(tmp_path: Path) -> None:
    nonsense, folder, missing = tmp_path / "nonsense.pem", tmp_path / "folder", tmp_path / "missing.pem"
    nonsense.write_text("-----BEGIN RSA PRIVATE KEY-----\ntopsecret\n-----END RSA PRIVATE KEY-----\n")
    folder.mkdir()
    for path, words in (
        (nonsense, "not a private RSA key in PEM"),
        (no_rsa_key(tmp_path), "not a private RSA key in PEM"),
        (folder, "cannot be read (Is a directory)"),
        (missing, "cannot be read (No such file or directory)"),
    ):
        with pytest.raises(SettingsError) as refused:
            load_settings({"MUSTER_HOME": str(tmp_path), "MUSTER_DKIM_KEY": str(path)})
        assert str(refused.value).startswith("MUSTER_DKIM_KEY names a ")
        assert words in str(refused.value)
        assert "topsecret" not in str(refused.value)


def test_a_key_that_receivers_take_for_too_short_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = a_key(tmp_path)
    monkeypatch.setattr(config.dkim, "SHORTEST", 4096)

    with pytest.raises(SettingsError, match="MUSTER_DKIM_KEY names a key that is too short: 2048 bits"):
        load_settings({"MUSTER_HOME": str(tmp_path), "MUSTER_DKIM_KEY": str(path)})


@pytest.mark.parametrize(("name", "value"), [("SELECTOR", "a b"), ("SELECTOR", "x;y"), ("DOMAIN", "example.org.")])
def test_a_selector_and_a_domain_are_names_as_in_the_dns(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MUSTER_DKIM_{name} must be a name as in the DNS"):
        load_settings({"MUSTER_HOME": str(tmp_path), f"MUSTER_DKIM_{name}": value})
