"""The receipt of a signature, as a PDF: who signed what, when and how. The same signature is the same bytes, always."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from papers.blocks import Block, Definitions, Heading, Paper, Paragraph
from surveys.languages import name_of


@dataclass(frozen=True)
class Signed:
    """A signature with everything that its receipt says."""

    number: str
    ref: str
    organisation: str
    """Who collects the signatures."""
    member: str
    member_ref: str
    document_ref: str
    document_title: str
    document_number: str
    document_sha256: str
    language: str
    authoritative: str
    sent_at: datetime | None
    viewed_at: datetime | None
    signed_at: datetime
    legal_name: str
    name: str
    position: str
    email: str
    method: str
    address: str
    browser: str
    consent: str
    reservation: str

    @property
    def title(self) -> str:
        """What was signed: "Code of Practice, version 3.0"."""
        return f"{self.document_title}, version {self.document_number}"


def printed(signed: Signed, zone: ZoneInfo) -> bytes:
    """Return the receipt as a PDF."""
    # The library takes a third of a second to load, which only whoever makes a receipt shall wait for.
    from papers.pdf import printed as on_paper

    paper = Paper(
        title="Receipt of a signature", created=signed.signed_at, running=f"Receipt {signed.number}",
        footer=f"{signed.organisation}, receipt {signed.number}", subject=signed.title, author=signed.organisation,
    )  # fmt: skip
    return on_paper(paper, [*_who_and_what(signed), *_when_and_how(signed, zone), *_to_verify(signed)])


def _who_and_what(signed: Signed) -> list[Block]:
    return [
        Paragraph(
            f"{signed.member} has signed “{signed.document_title}”, version {signed.document_number}"
            f"{', with the reservation below' if signed.reservation else ''}. {signed.organisation} has received it."
        ),
        Heading("Who signed"),
        Definitions(_said(
            ("Member", f"{signed.member} ({signed.member_ref})"), ("Legal name given", signed.legal_name),
            ("Signed by", signed.name), ("Position", signed.position), ("E-mail address", signed.email),
        )),
        Heading("What was signed"),
        Definitions(_said(
            ("Document", signed.document_title), ("Version", f"{signed.document_number} ({signed.document_ref})"),
            ("Language", _language(signed)),
        )),
        Definitions([("SHA-256 of the text", signed.document_sha256)], code=True),
    ]  # fmt: skip


def _when_and_how(signed: Signed, zone: ZoneInfo) -> list[Block]:
    reservation: list[Block] = [Heading("Reservation"), Paragraph(signed.reservation, look="quote")]
    return [
        Heading("When, and how"),
        Definitions(_said(
            ("Request sent", _at(signed.sent_at, zone)), ("Text opened", _at(signed.viewed_at, zone)),
            ("Signed", _at(signed.signed_at, zone)), ("Method", signed.method),
            ("Network address", signed.address), ("Browser", signed.browser),
        )),
        Heading("What was agreed to"),
        Paragraph(signed.consent, look="quote"),
        *(reservation if signed.reservation else []),
    ]  # fmt: skip


def _to_verify(signed: Signed) -> list[Block]:
    return [
        Heading("How to verify this receipt"),
        Paragraph(
            f"Its number is {signed.number}, its case {signed.ref}. {signed.organisation} keeps the signature, the "
            "text and a digest of this file, and says of any file whether it is this receipt, unchanged. Whoever has "
            "the text can compute its SHA-256 and compare it with the one above: they are the same only if the text is "
            "the same to the last character."
        ),
    ]


def _said(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    return [(term, told) for term, told in pairs if told]


def _language(signed: Signed) -> str:
    name = name_of(signed.language)
    if signed.language == signed.authoritative:
        return f"{name} (the text that decides)"
    return f"{name}; where the languages differ, the text in {name_of(signed.authoritative)} decides"


def _at(at: datetime | None, zone: ZoneInfo) -> str:
    """An instant in UTC, to the second, and as the clocks of the organisation showed it."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({local:%d %B %Y, %H:%M} {zone.key})"
