"""What a mail is that came in. Headers first, then what standard reports say, then the words that programs use.

Sources: RFC 3834 (automatic replies), RFC 3464 and 8098 (reports); for bounces in no standard form the rules of
Mailman, kept as flufl.bounce. Where it is in doubt a mail is a reply: somebody then reads it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from email.message import Message

from flufl.bounce import all_failures

from notifications.inbox import phrases
from notifications.inbox.incoming import Kind, Sorted
from notifications.inbox.opening import addresses, header, headers
from notifications.inbox.phrases import is_all, said_in
from notifications.inbox.reports import STATUS, addresses_in, report_of, returned

_MAILERS = re.compile(
    r"^(?:mailer-?daemon|postmaster|mail-?delivery|microsoftexchange[0-9a-f]+|mta|bounces?)\b|^mdaemon@"
)
_BULK = ("bulk", "junk", "list", "auto_reply", "auto-reply")
_NOT_A_PERSON = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-mailer-autoreply", "x-auto-reply-from")
_LISTS = ("list-id", "list-post", "list-unsubscribe")
_CODE = re.compile(r"(?<!\d)([45])\d\d[ -#]|(?<!\d)(?:5[05][0-4]|45[0-2])(?!\d)")
_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?"
    r"(?:\d{4}-\d\d-\d\d|\d{1,2}(?:st|nd|rd|th|\.)? ?(?:of )?[^\W\d_]{3,10}\.?(?:,? \d{4})?"
    r"|\d{1,2}[./-] ?\d{1,2}[./-]?(?: ?\d{2,4})?|[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?)"
)
_BACK = re.compile(
    r"(?:back (?:in the office )?on|return(?:ing)?(?: to the office)? on|until|till|bis(?: zum| einschließlich)?|ab dem"
    r"|wieder am|jusqu'au|de retour le|hasta el|fino al|tot en met|tot|do dnia|wracam|até|t\.o\.m\.|tillbaka(?: den)?)"
    rf"[ :]+(?:the |am |dem |and including )?(?P<day>{_DAY})",
    re.IGNORECASE,
)
_BEGINNING = 400
_LONGEST_GUESS = 2_000


def sorted_out(message: Message, text: str, *, own: Collection[str]) -> Sorted:
    """Return what a mail is. ``own``: our addresses, in small letters."""
    subject = header(message, "subject")
    found = report_of(message)
    if found is not None:
        return found
    if _is_ours(message, own):
        return Sorted(Kind.OWN)
    if (back := _bounce(message, subject, text)) is not None:
        return back
    if (automatic := _automatic(message, subject, text)) is not None:
        return automatic
    if is_all(subject, phrases.UNSUBSCRIBE) or is_all(text, phrases.UNSUBSCRIBE):
        return Sorted(Kind.UNSUBSCRIBE)
    return Sorted(Kind.REPLY)


def _is_ours(message: Message, own: Collection[str]) -> bool:
    written_by = {address for _, address in addresses(message, "from", "sender")}
    return any(key.lower().startswith("x-muster") for key in message.keys()) or bool(written_by & set(own))  # noqa: SIM118


def _from_mailer(message: Message) -> bool:
    from_server = any(_MAILERS.match(address) for _, address in addresses(message, "from", "sender"))
    return from_server or header(message, "return-path").strip() == "<>"


def _bounce(message: Message, subject: str, text: str) -> Sorted | None:
    """Return what a bounce in no standard form says, or None when the mail is none."""
    failed_header = addresses_in(headers(message, "x-failed-recipients"))
    server, says_so = _from_mailer(message), said_in(subject, phrases.FAILED_SUBJECTS)
    if not (failed_header or (server and says_so) or (server and _looks_returned(text))):
        return None
    temporary, permanent = _known_forms(message)
    who = failed_header or permanent or temporary or _named(text)
    code = STATUS.search(text[: phrases.MOST])
    status = code[0] if code else None
    reason = _reason(text)
    if said_in(text, phrases.DELAYED) or (temporary and not permanent and status is None):
        return Sorted(Kind.DELAYED, status, reason, who)
    found = returned(status, reason, who)
    if said_in(text[: _LONGEST_GUESS * 2], phrases.MAILBOX_FULL):
        return replace(found, kind=Kind.TEMPORARY, mailbox_full=True)
    if status is None and said_in(reason, phrases.POLICY):
        return replace(found, kind=Kind.POLICY)
    return found


def _looks_returned(text: str) -> bool:
    beginning = text[:_LONGEST_GUESS]
    return said_in(beginning, phrases.FAILED_SUBJECTS) or (STATUS.search(beginning) is not None and "@" in beginning)


def _known_forms(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who failed for now and for good, by the rules of Mailman, which knows two dozen mail servers."""
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # it was written for mail that is whole
        return (), ()
    return tuple(map(_small, sorted(temporary))), tuple(map(_small, sorted(permanent)))


def _small(address: bytes | str) -> str:
    return (address.decode("utf-8", "replace") if isinstance(address, bytes) else address).strip("<> ").lower()


def _named(text: str) -> tuple[str, ...]:
    return addresses_in(text[:_LONGEST_GUESS])[:1]


def _reason(text: str) -> str:
    """Return the lines that say why: those with a code, or the beginning."""
    lines = [line.strip() for line in text[: phrases.MOST].split("\n") if line.strip()]
    coded = [line for line in lines if STATUS.search(line) or _CODE.search(line)]
    return " ".join((coded or lines)[:4])[:500]


def _automatic(message: Message, subject: str, text: str) -> Sorted | None:
    """Return what an automatic reply is, or None for what a person wrote."""
    certain, beginning = _is_automatic(message), text[:_BEGINNING]
    guessed = said_in(subject, phrases.AWAY) or (len(text) <= _LONGEST_GUESS and said_in(beginning, phrases.AWAY_TEXT))
    if said_in(f"{subject} {text[:_LONGEST_GUESS]}", phrases.CHALLENGE):
        return Sorted(Kind.CHALLENGE)
    if not certain and not guessed:
        return None
    if said_in(text[:_LONGEST_GUESS], phrases.LEFT):
        return Sorted(Kind.LEFT, guessed=not certain)
    back = _BACK.search(" ".join(text[:_LONGEST_GUESS].split()))
    return Sorted(Kind.AUTOMATIC, back_on=back["day"][:60] if back else None, guessed=not certain)


def _is_automatic(message: Message) -> bool:
    """Whether a program says that it wrote this (RFC 3834, section 5, and what came before it)."""
    submitted = header(message, "auto-submitted").split(";")[0].split("(")[0].strip().lower()
    if submitted not in ("", "no"):
        return True
    if any(header(message, name) for name in (*_NOT_A_PERSON, *_LISTS)) or _from_mailer(message):
        return True
    precedence = header(message, "precedence").lower()
    return precedence in _BULK or header(message, "x-precedence").lower() in _BULK
