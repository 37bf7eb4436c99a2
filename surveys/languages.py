"""One questionnaire in several languages: texts written `{en: …, fr: …}` taken apart and put together again.

A text's place is the way to it, by id where there is one: `sections/pulse/questions/staff/choices/done/label`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TEXTS = frozenset({"title", "intent", "intro", "text", "help", "label", "message", "unit"})
_ELSEWHERE = frozenset(
    {"contradicts", "risk", "show_if", "required_if", "evidence_when", "checks", "plausible", "translations"}
)
"""What is not for members, or holds no texts."""
TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

NAMES: Mapping[str, str] = {
    "ar": "العربية", "bg": "Български", "bn": "বাংলা", "ca": "Català", "cs": "Čeština", "cy": "Cymraeg", "da": "Dansk",
    "de": "Deutsch", "el": "Ελληνικά", "en": "English", "es": "Español", "et": "Eesti", "fa": "فارسی", "fi": "Suomi",
    "fr": "Français", "ga": "Gaeilge", "he": "עברית", "hi": "हिन्दी", "hr": "Hrvatski", "hu": "Magyar",
    "id": "Bahasa Indonesia", "is": "Íslenska", "it": "Italiano", "ja": "日本語", "ko": "한국어", "lt": "Lietuvių",
    "lv": "Latviešu", "ms": "Bahasa Melayu", "nb": "Norsk bokmål", "nl": "Nederlands", "no": "Norsk", "pl": "Polski",
    "pt": "Português", "ro": "Română", "ru": "Русский", "sk": "Slovenčina", "sl": "Slovenščina", "sr": "Српски",
    "sv": "Svenska", "sw": "Kiswahili", "th": "ไทย", "tr": "Türkçe", "uk": "Українська", "ur": "اردو",
    "vi": "Tiếng Việt", "zh": "中文",
}  # fmt: skip
"""What the speakers of a language call it."""

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def name_of(language: str) -> str:
    """Return what the speakers of a language call it, or its tag where that is not known."""
    return NAMES.get(language, NAMES.get(language.partition("-")[0], language))


def direction(language: str) -> str:
    """Return `rtl` or `ltr`: which way a language is written."""
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


def best(offered: Sequence[str], *wanted: str) -> str:
    """Return the first language wanted that is offered, exactly or by its first part; else the first offered."""
    for tag in wanted:
        for match in (tag, tag.partition("-")[0].lower()):
            if match and match in offered:
                return match
    return offered[0]


def lifted(mapping: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[str]]:
    """Return a definition with its texts in the first language, the others under `translations`; and what is wrong."""
    listed = mapping.get("languages")
    languages = [each for each in listed if isinstance(each, str)] if isinstance(listed, list | tuple) else []
    lifter = _Lifter(languages)
    plain = lifter.plain(mapping, ())
    given = mapping.get("translations")
    found = {language: dict(texts) for language, texts in lifter.translations.items()}
    for language, texts in given.items() if isinstance(given, Mapping) else ():
        found[language] = {**(texts if isinstance(texts, Mapping) else {}), **found.get(language, {})}
    return {**plain, **({"translations": found} if found else {})}, lifter.problems


class _Lifter:
    """Takes the translations out of a definition."""

    def __init__(self, languages: list[str]) -> None:
        self._languages = languages
        self.translations: dict[str, dict[str, str]] = {}
        self.problems: list[str] = []

    def plain(self, node: Any, place: tuple[str, ...]) -> Any:
        if isinstance(node, Mapping):
            return {key: self._entry(key, value, place) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [self.plain(each, (*place, step_of(each, n))) for n, each in enumerate(node)]
        return node

    def _entry(self, key: Any, value: Any, place: tuple[str, ...]) -> Any:
        if key in _ELSEWHERE or not isinstance(value, Mapping | list | tuple):
            return value
        if key in TEXTS and isinstance(value, Mapping):
            return self._text(value, (*place, key))
        entry = [value] if key == "constraint" and isinstance(value, Mapping) else value
        return self.plain(entry, (*place, str(key)))

    def _text(self, said: Mapping[Any, Any], place: tuple[str, ...]) -> Any:
        where = in_words("/".join(place))
        # YAML 1.1 reads the Norwegian `no` as false.
        by_tag = {("no" if tag is False else tag): text for tag, text in said.items()}
        for tag, text in by_tag.items():
            if tag not in self._languages:
                self.problems.append(f"{where}: '{tag}' is not among the languages of the questionnaire.")
            elif not isinstance(text, str) or not text.strip():
                self.problems.append(f"{where}: the text in '{tag}' is empty.")
            elif tag != self._languages[0]:
                self.translations.setdefault(tag, {})["/".join(place)] = text
        first = by_tag.get(self._languages[0]) if self._languages else None
        if first is None:
            self.problems.append(f"{where}: there is no text in the first language.")
        return first


def step_of(item: Any, number: int) -> str:
    """Return how an item of a list is named in a place: by its id or value, else by its number."""
    name = item.get("id", item.get("value")) if isinstance(item, Mapping) else None
    return name if isinstance(name, str) else str(number)


def texts(content: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield each text of a definition in one language that a member reads, with its place."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in TEXTS and isinstance(value, str) and any(sign.isalpha() for sign in value):
                yield "/".join((*place, key)), value
            elif key not in _ELSEWHERE:
                yield from texts(value, (*place, str(key)))
    elif isinstance(content, list | tuple):
        for number, each in enumerate(content):
            yield from texts(each, (*place, step_of(each, number)))


def said_in(content: Any, translation: Mapping[str, str], place: tuple[str, ...] = ()) -> Any:
    """Return a definition with its texts as `translation` has them by place; without one, a text stays as it is."""
    if isinstance(content, Mapping):
        return {
            key: translation.get("/".join((*place, key)), value)
            if key in TEXTS and isinstance(value, str)
            else value
            if key in _ELSEWHERE
            else said_in(value, translation, (*place, str(key)))
            for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [said_in(each, translation, (*place, step_of(each, n))) for n, each in enumerate(content)]
    return content


def joined(content: Mapping[str, Any], first: str, translations: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return a definition in one language with the other languages put beside each text."""

    def put(node: Any, place: tuple[str, ...]) -> Any:
        if isinstance(node, Mapping):
            return {key: entry(str(key), value, place) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [put(each, (*place, step_of(each, n))) for n, each in enumerate(node)]
        return node

    def entry(key: str, value: Any, place: tuple[str, ...]) -> Any:
        if key in _ELSEWHERE:
            return value
        if key not in TEXTS or not isinstance(value, str):
            return put(value, (*place, key))
        where = "/".join((*place, key))
        others = {tag: said[where] for tag, said in translations.items() if where in said}
        return {first: value, **others} if others else value

    return {key: entry(key, value, ()) for key, value in content.items()}


def in_words(place: str) -> str:
    """Return a place as people read it: `question 'staff', choices 'done', label`."""
    words: list[str] = []
    steps = place.split("/")
    while steps:
        step = steps.pop(0)
        if steps and step in _LISTS and not (step == "choices" and len(steps) < 1):
            words.append(f"{_LISTS[step]} '{steps.pop(0)}'")
        else:
            words.append(step.replace("_", " "))
    kept = [word for word in words if not (word.startswith("section ") and len(words) > 2 and "question" in words[1])]
    text = ", ".join(kept)
    return text[:1].upper() + text[1:]


_LISTS = {
    "sections": "section", "questions": "question", "choices": "choice", "parts": "part", "columns": "column",
    "rows": "row", "constraint": "constraint",
}  # fmt: skip
