"""What the columns of a form call their languages, as tags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from cases.xlsform.problems import Found
from cases.xlsform.workbook import Form
from surveys.languages import NAMES, TAG

_CODE = re.compile(r"\(\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*\)\s*$")
_MARKUP = re.compile(r"</?(?:b|i|em|strong|span|font|br|u|p|h[1-6]|small|big)\b[^<>]*>|\*\*", re.IGNORECASE)
_ANSWER = re.compile(r"\$\{[^}]*\}")
_ENGLISH = {
    "arabic": "ar", "bengali": "bn", "bulgarian": "bg", "catalan": "ca", "chinese": "zh", "croatian": "hr",
    "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi", "french": "fr",
    "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id",
    "italian": "it", "japanese": "ja", "korean": "ko", "latvian": "lv", "lithuanian": "lt", "malay": "ms",
    "norwegian": "nb", "persian": "fa", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru",
    "serbian": "sr", "slovak": "sk", "slovenian": "sl", "spanish": "es", "swahili": "sw", "swedish": "sv",
    "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip
_NATIVE = {name.casefold(): tag for tag, name in NAMES.items()}


def tag_of(called: str) -> str | None:
    """Return the tag of a language that a column calls `French (fr)`, `fr`, `French` or `Français`; None if unknown."""
    code = _CODE.search(called[:100])
    word = unicodedata.normalize("NFC", code[1] if code else called).strip()
    head, dash, rest = word.partition("-")
    tag = f"{head.lower()}{dash}{rest}"
    if TAG.fullmatch(tag) and (code or len(head) == 2):
        return tag
    return _ENGLISH.get(word.casefold(), _NATIVE.get(word.casefold()))


def _called(form: Form) -> list[str]:
    """Return what the columns call their languages, in their order; `default` is a column without one."""
    cells = [
        cell
        for row in (*form.survey, *form.choices)
        for cell in (row.get("label"), row.get("hint"), _bind(row).get("jr:constraintMsg"))
    ]
    return list(dict.fromkeys(name for cell in cells if isinstance(cell, Mapping) for name in cell))


def _bind(row: Mapping[str, Any]) -> Mapping[str, Any]:
    bind = row.get("bind")
    return bind if isinstance(bind, Mapping) else {}


class Speaking:
    """The languages of a form, the first one the one that texts fall back to."""

    def __init__(self, form: Form, found: Found) -> None:
        self._found = found
        called = _called(form)
        named = [name for name in called if name != "default"]
        for name in dict.fromkeys([*named, *([form.language] if form.language != "default" else ())]):
            if tag_of(name) is None:
                found.problems.append(_unknown(name))
        if form.language != "default":
            leads = tag_of(form.language)
        else:
            leads = None if "default" in called or not named else tag_of(named[0])
        self.first = leads or "en"
        others = [tag for name in named if (tag := tag_of(name)) is not None]
        self.tags = list(dict.fromkeys([self.first, *others]))

    def text(self, cells: Any, row: int, what: str, sheet: str = "survey") -> Any:
        """Return a cell as a text, or as texts by language; None where it is empty."""
        said = cells if isinstance(cells, Mapping) else {"default": cells}
        texts: dict[str, str] = {}
        for called, words in said.items():
            tag = self.first if called == "default" else tag_of(called)
            if tag is not None and words and (plain := self._plain(str(words), row, what, sheet)):
                texts[tag] = plain
        if not texts:
            return None
        if self.first not in texts:
            texts = {self.first: next(iter(texts.values())), **texts}
        if len(texts) == 1:
            return texts[self.first]
        return {tag: texts[tag] for tag in self.tags if tag in texts}

    def _plain(self, words: str, row: int, what: str, sheet: str) -> str:
        if _ANSWER.search(words):
            self._found.refuse(row, f"the {what} shows an answer (${{…}}), which is not supported.", sheet)
        plain = " ".join(_MARKUP.sub(" ", words).split()) if _MARKUP.search(words) else words.strip()
        if plain != words.strip():
            self._found.ignore("Bold, colours and other markup in texts are left out.")
        return plain[:4000]


def _unknown(called: str) -> str:
    return f"Sheet survey: the language '{called}' is not known; name it with its code, such as French (fr)."
