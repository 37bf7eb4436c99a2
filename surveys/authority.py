"""Whether the respondent is somebody who may answer for the member, as far as an address can tell."""

from collections.abc import Collection, Iterator

from surveys.answers import Respondent
from surveys.flags import Flag, Rule, Severity

PUBLIC_DOMAINS = frozenset(
    {
        "aol.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com",
        "live.com", "mail.com", "mail.ru", "me.com", "msn.com", "outlook.com", "proton.me", "protonmail.com",
        "qq.com", "web.de", "yahoo.co.uk", "yahoo.com", "yandex.ru", "163.com", "126.com",
    }
)  # fmt: skip
"""Domains at which anybody may have an address; sharing one says nothing."""


def authority(respondent: Respondent, declaration: bool, contacts: Collection[str]) -> Iterator[Flag]:
    """Yield flags unless the respondent declared authority and is, or shares a domain with, a known contact.

    `contacts` are addresses (amara@example.org) and domains (example.org) known for the member.
    """
    if not declaration:
        yield _flag("declaration", "Authority to answer for the organisation wasn't declared.", Severity.HIGH)
    if not respondent.name:
        yield _flag("respondent.name", "The respondent isn't named.", Severity.HIGH)
    if not respondent.role:
        yield _flag("respondent.role", "The respondent's role isn't given.", Severity.LOW)
    if not respondent.email:
        yield _flag("respondent.email", "The respondent gave no email address.", Severity.MEDIUM)
        return
    known = {contact.strip().casefold() for contact in contacts if contact.strip()}
    email = respondent.email.casefold()
    domain = email.rpartition("@")[2]
    if email in known:
        return
    if not known:
        yield _flag("respondent.email", "No contact is known to compare the respondent with.", Severity.LOW)
    elif domain in PUBLIC_DOMAINS:
        text = f"{email} is an address at a public mail provider and not a known contact."
        yield _flag("respondent.email", text, Severity.MEDIUM)
    elif not any(_within(domain, contact.rpartition("@")[2]) for contact in known):
        text = f"{email} isn't at a domain of the known contacts."
        yield _flag("respondent.email", text, Severity.MEDIUM)


def _within(domain: str, known: str) -> bool:
    return domain == known or (known not in PUBLIC_DOMAINS and domain.endswith(f".{known}"))


def _flag(question: str, text: str, severity: Severity) -> Flag:
    return Flag(Rule.AUTHORITY, question, text, severity)
