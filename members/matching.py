"""When two names mean the same member. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

LEGAL_FORMS = frozenset({
    "ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "corporation", "cv", "eg", "ev",
    "gmbh", "inc", "incorporated", "kft", "kg", "kgaa", "kk", "lda", "limited", "llc", "llp", "lp",
    "ltd", "ltda", "mbh", "nv", "ohg", "oy", "oyj", "plc", "pte", "pty", "sa", "sarl", "sas", "se",
    "sl", "spa", "srl", "sro", "ug",
})  # fmt: skip
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
_INITIALS = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_PART_OF_A_LETTER = frozenset({7, 8, 9})  # combining classes without which Kana and Indic words become others


def folded(text: str) -> str:
    """Return `text` in small letters without diacritics and punctuation: "Wētā FX" is "weta fx"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    bare = [c for c in decomposed if unicodedata.combining(c) in _PART_OF_A_LETTER or not unicodedata.combining(c)]
    plain = unicodedata.normalize("NFC", "".join(bare).casefold())
    plain = _INITIALS.sub("", plain.replace("&", " and ").replace("'", "").replace("’", ""))
    return " ".join("".join(c if _in_a_word(c) else " " for c in plain).split())


def _in_a_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def name_key(name: str, *, person: bool = False) -> str:
    """Return what is compared when a member is looked for by name.

    The legal form at the end of an organisation's name is dropped; a person's name is kept whole.
    """
    words = folded(name).split()
    while not person and len(words) > 1 and (words[-1] in LEGAL_FORMS or words[-1] == "and"):
        words.pop()
    return " ".join(words) or name.strip().casefold()


def website_domain(website: str | None) -> str | None:
    """Return the domain of an address without ``www.``, or None when there is none."""
    if not website:
        return None
    try:
        host = urlsplit(website if "//" in website else f"//{website}").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def team_for(teams: Mapping[str, Sequence[Mapping[str, Any]]], member: Mapping[str, Any]) -> str | None:
    """Return the first team one of whose rules covers the member: every key of the rule names its value."""
    for team, rules in teams.items():
        if any(rule and all(_names(wanted, member.get(key)) for key, wanted in rule.items()) for rule in rules):
            return team
    return None


def _names(wanted: Any, value: str | None) -> bool:
    values = [wanted] if isinstance(wanted, str) else wanted
    return value is not None and value.casefold() in {each.casefold() for each in values}
