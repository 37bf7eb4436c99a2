"""What a mail is that came in: what mail servers, programs and people really send, and what nobody should."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import address_tags
from notifications.inbox.incoming import Incoming, Kind
from notifications.inbox.reading import read as read_
from tests.core import incoming_samples as samples
from tests.core.incoming_samples import MEMBER, OUR_ID, US, dsn, plain

SECRET = "s" * 40
REPLIES = "replies@muster.example"


def read(raw: bytes) -> Incoming:
    return read_(raw, own={US, REPLIES}, reply_address=REPLIES)


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("EXCHANGE", Kind.BOUNCE, "5.1.10"),
        ("GMAIL", Kind.BOUNCE, "5.1.1"),
        ("POSTFIX", Kind.BOUNCE, "5.1.1"),
        ("NO_HOST", Kind.BOUNCE, "5.4.4"),
        ("OUTLOOK", Kind.BOUNCE, "5.5.0"),
        ("SES", Kind.BOUNCE, "5.1.1"),
        ("SENDMAIL", Kind.BOUNCE, "5.2.1"),
        ("LOTUS", Kind.BOUNCE, "5.1.1"),
        ("VAGUE_UNKNOWN", Kind.BOUNCE, "5.1.1"),
        ("EXIM", Kind.BOUNCE, "5.1.1"),
        ("QMAIL", Kind.BOUNCE, "5.1.1"),
        ("YAHOO", Kind.BOUNCE, None),
        ("GMAIL_FULL", Kind.TEMPORARY, "4.2.2"),
        ("OUTLOOK_FULL", Kind.TEMPORARY, "5.2.2"),
        ("VAGUE_FULL", Kind.TEMPORARY, "5.0.0"),
        ("GROUPWARE_FULL", Kind.TEMPORARY, None),
        ("GMAIL_POLICY", Kind.POLICY, "5.7.26"),
        ("POSTFIX_DELAY", Kind.DELAYED, "4.4.1"),
        ("EXIM_DELAY", Kind.DELAYED, None),
        ("RELAYED", Kind.DELIVERED, "2.0.0"),
    ],
)
def test_what_mail_servers_send_back_is_told_apart_and_names_our_message(
    name: str, kind: Kind, status: str | None
) -> None:
    found = read(getattr(samples, name))
    assert (found.kind, found.sorted.status) == (kind, status)
    assert found.originals[0] == OUR_ID
    assert MEMBER in found.sorted.failed or kind in (Kind.DELAYED, Kind.DELIVERED)
    assert found.sorted.mailbox_full == name.endswith("_FULL")


@pytest.mark.parametrize(
    ("name", "back"), [("GMAIL_VACATION", "9 March 2026"), ("EXCHANGE_OOF", "12/03/2026"), ("GERMAN", "14.03.2026")]
)
def test_who_is_away_says_so_and_until_when(name: str, back: str) -> None:
    found = read(getattr(samples, name))
    assert (found.kind, found.sorted.back_on) == (Kind.AUTOMATIC, back)
    assert found.sorted.guessed == (name == "GERMAN")  # no header says it there


@pytest.mark.parametrize("subject", samples.AWAY_IN_MANY_TONGUES)
def test_automatic_replies_are_known_by_their_subject_in_many_languages(subject: str) -> None:
    assert read(plain("Jo <m7@members.example>", subject, "…")).kind is Kind.AUTOMATIC


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied (vacation)", "X-Autorespond: 1", "Precedence: auto_reply", "Precedence: list",
        "List-Id: <talk.example>", "Return-Path: <>", "List-Unsubscribe: <mailto:x@y.example>",
    ],
)  # fmt: skip
def test_a_program_that_says_it_is_one_is_believed(header: str) -> None:
    assert (
        read(plain("Jo <m7@members.example>", "Re: Please answer", "Thank you!", header + "\n")).kind is Kind.AUTOMATIC
    )


def test_who_has_left_is_a_kind_of_its_own() -> None:
    assert read(samples.LEAVER).kind is Kind.LEFT


def test_a_reply_is_a_reply_although_somebody_was_away_and_only_its_new_words_are_shown() -> None:
    found = read(samples.REPLY)
    assert found.kind is Kind.REPLY
    assert found.text == "Sorry, I was out of the office last week.\nCould we have until Friday?\n\nKind regards\nJo"
    assert (found.from_email, found.from_name) == (MEMBER, "Jo Example")
    assert found.originals == (OUR_ID, "<first@elsewhere.example>")
    assert read(plain(MEMBER, "Re: x", "Thanks", "Auto-Submitted: no\n")).kind is Kind.REPLY


@pytest.mark.parametrize(
    "quoted",
    [
        "Am 02.03.2026 um 09:00 schrieb Membership team <a@b.example>:\n> alt",
        "Le lun. 2 mars 2026 à 09:00, Membership team <a@b.example> a écrit :\n> vieux",
        "-----Original Message-----\nFrom: Membership team\nold", "________________________________\nFrom: Us\nold",
        "From: Membership team <a@b.example>\nSent: Monday\nold",
        "On Mon, 2 Mar 2026 at 09:00, Membership team with a very long name\n<a@b.example> wrote:\n> old",
        "-- \nJo Example\nAcme",
    ],
)  # fmt: skip
def test_what_is_quoted_is_left_out(quoted: str) -> None:
    assert read(plain(MEMBER, "Re: x", f"We agree.\n\n{quoted}")).text == "We agree."


def test_a_mail_that_only_quotes_keeps_all_of_it() -> None:
    assert read(plain(MEMBER, "Re: x", "> all of it\n> is old")).text == "> all of it\n> is old"


def test_receipts_complaints_wishes_to_stop_challenges_and_our_own_mail_are_told_apart() -> None:
    assert read(samples.receipt()).kind is Kind.RECEIPT
    assert read(samples.receipt()).originals == (OUR_ID,)
    assert (read(samples.complaint()).kind, read(samples.complaint()).originals[0]) == (Kind.COMPLAINT, OUR_ID)
    assert read(plain(MEMBER, "Re: Please answer", "Unsubscribe!")).kind is Kind.UNSUBSCRIBE
    assert (
        read(plain(MEMBER, "Re: x", "Please do not stop; we want to unsubscribe from the magazine only")).kind
        is Kind.REPLY
    )
    challenge = plain(MEMBER, "Re: x", "Please confirm that you are human by clicking below.")
    assert read(challenge).kind is Kind.CHALLENGE
    assert read(samples.ORIGINAL.encode() + b"\nDear member").kind is Kind.OWN
    assert read(plain(f"Us <{REPLIES}>", "Re: x", "hello")).kind is Kind.OWN


def test_of_several_receivers_the_worst_decides() -> None:
    rest = b"--=_bound\nContent-Type: text/rfc822"
    more = b"Final-Recipient: rfc822; other@members.example\nAction: relayed\nStatus: 2.0.0\n\n"
    both = samples.POSTFIX.replace(rest, more + rest)
    assert b"relayed" in both
    assert read(both).kind is Kind.BOUNCE


def test_words_in_html_are_stripped_and_files_are_named() -> None:
    found = read(samples.with_file("Bericht Öl.pdf", b"%PDF" + bytes(1000)))
    assert found.text == "Hello & thank you"
    assert (found.subject, found.from_name) == ("Grüße aus Łódź", "Zoë")
    assert [each.name for each in found.attachments] == ["Bericht Öl.pdf"]


def test_a_tag_of_the_reply_address_is_found_wherever_mail_servers_leave_it_and_cannot_be_made_up() -> None:
    tag = address_tags.make(SECRET, 4711)
    address = address_tags.tagged(REPLIES, tag)
    assert len(address.partition("@")[0]) <= 64
    assert address_tags.read(SECRET, tag.upper()) == 4711
    for raw in (
        plain(MEMBER, "Re: x", "hi", f"Delivered-To: {address.upper()}\n"),
        dsn("5.1.1", "unknown").replace(b"X-Muster-Case:", f"Reply-To: <{address}>\nX-Muster-Case:".encode()),
        dsn("5.1.1", "unknown", whole=False).replace(b"X-Muster-Case:", f"Return-Path: <{address}>\nX-M:".encode()),
    ):
        assert read(raw).tags == (tag,)
    for forged in (tag[:-1] + ("a" if tag[-1] != "a" else "b"), tag + "a", "", "a" * 15, "a" * 20, "a" * 33):
        assert address_tags.read(SECRET, forged) is None
    assert address_tags.read("t" * 40, tag) is None


def test_a_case_is_named_by_our_own_headers_or_in_the_subject() -> None:
    assert read(samples.POSTFIX).case_refs == ("SR-2026-000017",)
    assert read(plain(MEMBER, "About CO-2026-000042", "hi")).case_refs == ("CO-2026-000042",)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\0\0\0", b"\n\n\n", b"Subject: =?utf-8?b?!!!?=\n\nx", b"From: \xff\xfe\nSubject: \xe9\n\n\xe9",
        b"From: (((((((((" * 2000 + b"\n\nx", b"Content-Type: text/plain; charset=klingon\n\nhello",
        b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n%%%%",
        b"Content-Type: multipart/mixed\n\nno boundary",
        b'Content-Type: multipart/report; boundary="x"\n\n--x\nContent-Type: message/delivery-status\n\n\xff:\0\n--x--',
        b"Content-Type: text/html\n\n" + b"<!--" * 50_000, b"Content-Type: text/html\n\n" + b"<style>" * 50_000,
    ],
)  # fmt: skip
def test_broken_mail_is_read_as_far_as_it_goes(raw: bytes) -> None:
    found = read(raw)
    assert "\0" not in found.text + found.subject
    assert found.kind in (Kind.REPLY, Kind.UNREADABLE)


@pytest.mark.parametrize(
    "raw",
    [
        samples.nested(400),
        b"From: a@b.example\nSubject: Parts\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 400_000,
        b"From: a@b.example\nSubject: Long\nTo: " + b"a@b.example, " * 300_000 + b"\n\nhello",
        b"From: a@b.example\nSubject: Lines\n\n" + b"\n" * 4_000_000,
        b"From: a@b.example\nSubject: Word\n\n" + b"on " * 1_000_000,
        b"From: a@b.example\nSubject: Type\nContent-Type: text/plain" + b"; a=b" * 200_000 + b"\n\nx",
        samples.with_file("large.pdf", bytes(10_000_000)),
    ],
    ids=["nested", "parts", "headers", "lines", "words", "parameters", "file"],
)
def test_huge_mail_takes_bounded_time_and_its_head_is_known(raw: bytes) -> None:
    begun = process_time()
    found = read(raw)
    assert process_time() - begun < 5
    assert found.from_email
    assert found.subject
    assert found.kind is not Kind.UNREADABLE


_LINES = st.lists(
    st.sampled_from([
        b"From: a@b.example", b"Subject: =?utf-8?q?x", b"Content-Type: multipart/report; boundary=b", b"--b", b"--b--",
        b"",
        b"Content-Type: message/rfc822", b"Content-Type: message/delivery-status", b"Status: 5.1.1", b"Action: failed",
        b"Final-Recipient: rfc822;x@y.example", b"Content-Transfer-Encoding: base64", b"Auto-Submitted: auto-replied",
        b"Content-Type: text/html; charset=utf-16", b"Content-Type: multipart/digest; boundary=\"c\"", b"--c",
        b" folded",
        b"Message-ID: <x@", b"References: <a@b> <c@d>", b"Return-Path: <>", b"X-Failed-Recipients: x@y.example",
        b"Content-Disposition: attachment; filename*0*=x''%ff", b"Content-Type: ;;;=\"",
    ]) | st.binary(max_size=40), max_size=40,
)  # fmt: skip


@given(_LINES)
def test_whatever_comes_is_read_and_can_be_stored(lines: list[bytes]) -> None:
    found = read(b"\n".join(lines))
    words = [found.text, found.subject, found.from_name, found.from_email or "", *found.originals, found.sorted.reason]
    for each in (*words, *(file.name for file in found.attachments)):
        assert "\0" not in each
        each.encode()
    assert "(" not in (found.trouble or "")  # nothing surprised us
