"""What a row of an import says about a member, checked field by field. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from typing import Any

from members.errors import Unusable, did_you_mean, listed
from members.matching import name_key, website_domain
from members.spreadsheets import Record
from members.tables import CONTACT_ROLES, KINDS, STATUSES

MOST_CONTACTS = 5
MEMBER_FIELDS = (
    "name", "ref", "external_ref", "kind", "status", "tier", "category", "country", "region", "site", "team",
    "website", "language", "joined_on", "left_on", "flags",
)  # fmt: skip
CONTACT_FIELDS = ("email", "contact_name", "phone", "contact_role")
SUFFIXES = ("", *(f"_{number}" for number in range(2, MOST_CONTACTS + 1)))
FIELDS = (*MEMBER_FIELDS, *(f"{field}{suffix}" for suffix in SUFFIXES for field in CONTACT_FIELDS))
FLAGS = (
    "DECEASED", "VULNERABLE", "BREATHING_SPACE", "NO_OFFERS", "INVALID_ADDRESS", "LEGAL_HOLD_CONTACT",
    "COMPLAINT_ON_SAME_DEBT",
)  # fmt: skip
LONGEST = {"name": 300, "website": 2000, "external_ref": 100, "phone": 50, "language": 10}
LONGEST_TEXT, LONGEST_DATA = 200, 20_000

_MARKED = re.compile(r"^'(?=[=+\-@])")
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"]+")
_LABEL = re.compile(r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_BETWEEN_ADDRESSES = re.compile(r'[;,\n]+(?=(?:[^"]*"[^"]*")*[^"]*$)')
_DATE_FORMS = ("%d.%m.%Y", "%d/%m/%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%m-%Y", "%Y/%m/%d")


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact as the row gives it."""

    name: str
    email: str | None
    phone: str | None
    role: str | None = None
    """None: the row does not say."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One row as the register understands it; `errors` says what is wrong with it, field by field."""

    line: int
    name: str
    ref: str | None
    values: Mapping[str, Any]
    """What the row says, by column; blank cells are absent."""
    contacts: tuple[NewContact, ...]
    flags: frozenset[str]
    data: Mapping[str, str]
    errors: tuple[str, ...] = ()

    @property
    def external_ref(self) -> str | None:
        """The organisation's own number for this member."""
        return self.values.get("external_ref")

    @property
    def domain(self) -> str | None:
        """The domain of the website."""
        return website_domain(self.values.get("website"))

    @property
    def keys(self) -> Mapping[str, str]:
        """The name as it is compared, for each kind of member this row may be."""
        kinds = [self.values["kind"]] if "kind" in self.values else KINDS
        return {kind: name_key(self.name, person=kind == "person") for kind in kinds}


def check_mapping(mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Return the mapping of fields to columns of the file; capitals in a column's name do not matter.

    Raises Unusable for a field or column that does not exist, and when nothing gives the name.
    """
    by_folded = {column.strip().casefold(): column for column in columns}
    checked = {}
    for field, wanted in mapping.items():
        if field not in FIELDS:
            raise Unusable(
                f'Members have no field "{field}".{did_you_mean(field, FIELDS)} Fields: {", ".join(FIELDS)}.'
            )
        column = wanted if wanted in columns else by_folded.get(wanted.strip().casefold())
        if column is None:
            hint = did_you_mean(wanted, columns)
            raise Unusable(f'The file has no column "{wanted}".{hint} Its columns are: {", ".join(columns)}.')
        checked[field] = column
    if "name" not in checked:
        raise Unusable(f"Say which column holds the name (name=COLUMN). The columns are: {', '.join(columns)}.")
    return checked


def parse_row(record: Record, mapping: Mapping[str, str]) -> MemberRow:
    """Return what a row says about a member."""
    cells = {field: _one_line(field, record.values[column]) for field, column in mapping.items()}
    cells = {field: cell for field, cell in cells.items() if cell}
    unmapped = {c: v for c, v in record.values.items() if v and c not in mapping.values()}
    errors: list[str] = [] if cells.get("name") else [f'"{mapping["name"]}" is blank; a member needs a name.']
    errors += [f'"{name}" is too long to keep.' for name, text in unmapped.items() if len(text) > LONGEST_DATA]
    values: dict[str, Any] = {}
    for field in MEMBER_FIELDS:
        if field in cells and field != "flags":
            _keep(values, errors, field, cells[field])
    contacts = _contacts(cells, errors)
    flags = _flags(cells.get("flags", ""), errors)
    joined, left = values.get("joined_on"), values.get("left_on")
    if joined and left and left < joined:
        errors.append(f"left_on {left} is before joined_on {joined}.")
    ref = values.pop("ref", None)
    return MemberRow(record.line, values.get("name", ""), ref, values, contacts, flags, unmapped, tuple(errors))


def check_value(field: str, text: str) -> Any:
    """Return what a person typed for a field as it is stored; raises ValueError with a sentence."""
    values: dict[str, Any] = {}
    errors: list[str] = []
    _keep(values, errors, field, _one_line(field, text))
    if errors:
        raise ValueError(errors[0])
    return values[field]


def _one_line(field: str, cell: str) -> str:
    """Return the cell without line breaks, which have no place in a name; they may divide addresses.

    The mark that our exports put before what a spreadsheet would take for a formula goes, too.
    """
    cell = _MARKED.sub("", cell)
    return cell if field.startswith("email") else " ".join(cell.split())


def _keep(values: dict[str, Any], errors: list[str], field: str, cell: str) -> None:
    longest = LONGEST.get(field, LONGEST_TEXT)
    if len(cell) > longest:
        errors.append(f"{field} has {len(cell)} characters; at most {longest} are kept.")
        return
    try:
        values[field] = _READERS.get(field, str)(cell)
    except ValueError as problem:
        errors.append(f"{field}: {problem}")


def parse_date(cell: str) -> date:
    """Return the date in `cell`, day before month; raises ValueError with a sentence."""
    text = cell.strip()
    try:
        found = datetime.fromisoformat(text).date()
    except ValueError:
        found = next(filter(None, (_date_in(text, form) for form in _DATE_FORMS)), None)  # type: ignore[assignment]  # None is dealt with below
    if found is None or not 1800 <= found.year <= 2200:
        raise ValueError(f'"{cell}" is not a date; write it like 2025-03-31.')
    return found


def _date_in(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007
    except ValueError:
        return None


def parse_email(text: str) -> tuple[str, str]:
    """Return (name, address) of one mailbox such as ``Ann <ann@example.org>``; raises ValueError."""
    name, address = parseaddr(text.strip())
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    local_ok = _LOCAL.fullmatch(local) and len(local) <= 64 and ".." not in f".{local}."
    domain_ok = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()
    if not (local_ok and domain_ok and len(address) <= 254):
        raise ValueError(f'"{text.strip()}" is not an e-mail address.')
    return name, address


def _contacts(cells: Mapping[str, str], errors: list[str]) -> tuple[NewContact, ...]:
    found: dict[str, NewContact] = {}
    said: dict[str, Any] = {}
    for suffix in SUFFIXES:
        if role := cells.get(f"contact_role{suffix}"):
            _keep(said, errors, f"contact_role{suffix}", role)
        name, phone = cells.get(f"contact_name{suffix}", ""), cells.get(f"phone{suffix}")
        for text, longest in ((name, LONGEST["name"]), (phone or "", LONGEST["phone"])):
            if len(text) > longest:
                errors.append(f'"{text[:20]}…" is too long for a contact.')
        mailboxes = _mailboxes(cells.get(f"email{suffix}", ""), f"email{suffix}", errors)
        if not mailboxes and (phone or name):
            mailboxes = [("", None)]
        for place, (own_name, address) in enumerate(mailboxes):
            own = (phone, said.get(f"contact_role{suffix}")) if place == 0 else (None, None)
            contact = NewContact((name if place == 0 else "") or own_name, address, *own)
            found.setdefault((address or phone or name).casefold(), contact)
    return tuple(found.values())


def _mailboxes(cell: str, field: str, errors: list[str]) -> list[tuple[str, str | None]]:
    mailboxes: list[tuple[str, str | None]] = []
    for part in filter(str.strip, _BETWEEN_ADDRESSES.split(cell)):
        try:
            mailboxes.append(parse_email(part))
        except ValueError as problem:
            errors.append(f"{field}: {problem}")
    return mailboxes


def _flags(cell: str, errors: list[str]) -> frozenset[str]:
    flags = frozenset(filter(None, re.split(r"[\s;,|]+", cell.upper())))
    for flag in sorted(flags - set(FLAGS)):
        if hint := did_you_mean(flag, FLAGS):
            errors.append(f'flags: "{flag}" is not a flag.{hint}')
    return flags


def _word_of(words: Iterable[str]) -> Callable[[str], str]:
    known = tuple(words)

    def read(cell: str) -> str:
        if (word := cell.casefold().replace(" ", "_")) not in known:
            raise ValueError(f'"{cell}" is not known; use {listed(known)}.{did_you_mean(cell, known)}')
        return word

    return read


def _language(cell: str) -> str:
    if not _LANGUAGE.fullmatch(language := cell.replace("_", "-")[:2].lower() + cell.replace("_", "-")[2:]):
        raise ValueError(f'"{cell}" is not a language code such as en, de or pt-BR.')
    return language


_READERS: dict[str, Callable[[str], Any]] = {
    "kind": _word_of(KINDS),
    "status": _word_of(status for status in STATUSES if status != "merged"),
    "language": _language,
    "joined_on": parse_date,
    "left_on": parse_date,
    "ref": str.upper,
    **{f"contact_role{suffix}": _word_of(CONTACT_ROLES) for suffix in SUFFIXES},
}
