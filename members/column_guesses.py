"""Which field of a member a column of a table probably is. Pure; a person looks at it before anything is done."""

import re
from collections.abc import Mapping, Sequence

from members.fields import CONTACT_FIELDS, FIELDS, MOST_CONTACTS
from members.matching import folded

_CALLED: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "member", "member name", "organisation", "organization", "organisation name", "organization name",
             "company", "company name", "full name", "legal name", "title"),
    "ref": ("ref", "muster reference", "muster ref"),
    "external_ref": ("external ref", "external reference", "member number", "membership number", "member no",
                     "membership no", "member id", "membership id", "customer number", "number", "no", "id",
                     "reference", "crm id"),
    "kind": ("kind", "member kind"),
    "status": ("status", "member status", "membership status", "state"),
    "tier": ("tier", "membership tier", "level", "membership level", "membership type", "grade"),
    "category": ("category", "member category", "sector", "industry", "type", "member type"),
    "country": ("country", "country code", "nation"),
    "region": ("region", "area", "county"),
    "site": ("site", "location", "branch", "club", "centre"),
    "team": ("team", "responsible team"),
    "website": ("website", "web", "web site", "url", "homepage", "web address", "www"),
    "language": ("language", "preferred language", "lang"),
    "joined_on": ("joined on", "joined", "join date", "date joined", "member since", "start date", "since"),
    "left_on": ("left on", "left", "leaving date", "leave date", "end date", "resigned on"),
    "flags": ("flags", "flag"),
    "email": ("email", "e mail", "mail", "email address", "e mail address", "contact email", "contact e mail",
              "primary email"),
    "contact_name": ("contact name", "contact", "contact person", "primary contact", "main contact"),
    "contact_role": ("contact role", "role of contact", "role of the contact", "contact function"),
    "phone": ("phone", "telephone", "tel", "phone number", "telephone number", "mobile", "contact phone"),
}  # fmt: skip
_BY_NAME = {name: field for field, names in _CALLED.items() for name in names}
_NUMBERED = re.compile(r"(.+?) ?([2-9])")
_MUSTERS_OWN = re.compile(r"M-\d{6,}", re.IGNORECASE)


def guessed(columns: Sequence[str], samples: Sequence[Mapping[str, str]] = ()) -> dict[str, str]:
    """Return the field of each column that is probably one; the first column that may be a field is taken for it.

    `samples` are some rows: a column whose values are addresses is one of addresses, whatever it is called.
    """
    found: dict[str, str] = {}
    for column in columns:
        field = _by_name(column, [row.get(column, "") for row in samples])
        if field and field not in found.values():
            found[column] = field
    for column in columns:
        values = [row[column] for row in samples if row.get(column)]
        if column not in found and "email" not in found.values() and values and all("@" in value for value in values):
            found[column] = "email"
    return found


def _by_name(column: str, values: Sequence[str]) -> str | None:
    name = re.sub(r"\(.*?\)", "", column)
    known = column.strip().casefold()
    if known in FIELDS:
        return known
    words = folded(name)
    if words in ("ref", "reference") and any(_MUSTERS_OWN.fullmatch(value) for value in values):
        return "ref"
    if words in _BY_NAME:
        return _BY_NAME[words]
    numbered = _NUMBERED.fullmatch(words)
    field = _BY_NAME.get(numbered[1]) if numbered else None
    if numbered and field in CONTACT_FIELDS and int(numbered[2]) <= MOST_CONTACTS:
        return f"{field}_{numbered[2]}"
    return None
