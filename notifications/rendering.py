"""From a kind and what is known to a subject, a text and an HTML page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape

from config.database import without_nul
from notifications import catalogue, letters, wording
from notifications.context import MailContext

LONGEST_SUBJECT = 150
_EMPTY_LINES = re.compile(r"\n{3,}")


class RenderingFailed(Exception):
    """A template asks for something that is not there, or is not there itself."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as it will be read."""

    subject: str
    text: str
    html: str
    language: str


def render(kind: str, context: MailContext, language: str = "") -> Rendered:
    """Return the message in this language, or in the organisation's where it is not translated.

    Raises UnknownKind, and RenderingFailed with a sentence that names the template.
    """
    entry = catalogue.entry(kind)
    environment = _environment(context.zone_name)
    used = _translated(environment, entry, language)
    names = _names(entry, used)
    written = letters.filled_in(environment, names, context) or _rendered(environment, names, context.variables())
    subject, text, html = (str(without_nul(part)) for part in written)  # stored afterwards, where a NUL cannot be
    return Rendered(
        subject=wording.one_line(subject, LONGEST_SUBJECT),
        text=_EMPTY_LINES.sub("\n\n", text).strip() + "\n",
        html=html.strip() + "\n",
        language=used or "en",
    )


def fingerprint(subject: str, text: str, html: str) -> str:
    """Return the SHA-256 of what was sent, the parts divided by a NUL."""
    return hashlib.sha256("\0".join((subject, text, html)).encode()).hexdigest()


def environment_for(zone_name: str, folders: Iterable[str]) -> Environment:
    """Return an environment that writes local time of this zone: HTML is escaped, nothing missing passes as empty."""
    zone = ZoneInfo(zone_name)
    environment = Environment(
        loader=FileSystemLoader(list(folders)),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # it would ask for the time of each file at each message
    )
    environment.filters["day"] = lambda value: wording.day(value, zone)
    environment.filters["moment"] = lambda value: wording.moment(value, zone)
    environment.filters["money"] = wording.money
    return environment


@cache
def _environment(zone_name: str) -> Environment:
    return environment_for(zone_name, [str(catalogue.TEMPLATES)])


def _translated(environment: Environment, entry: catalogue.Entry, language: str) -> str:
    """Return the language if all three templates exist in it, first as given and then without its region."""
    for wanted in (language, language.partition("-")[0]):
        if wanted.replace("-", "").isalpha() and all(
            _exists(environment, entry.template(end, wanted)) for end in catalogue.SUFFIXES
        ):
            return wanted
    return ""


@cache
def _exists(environment: Environment, name: str) -> bool:
    try:
        environment.get_template(name)
    except TemplateError:
        return False
    return True


def _names(entry: catalogue.Entry, language: str) -> tuple[str, ...]:
    return tuple(entry.template(end, language) for end in catalogue.SUFFIXES)


def _rendered(environment: Environment, names: Iterable[str], variables: Mapping[str, Any]) -> list[str]:
    return [_filled(environment, name, variables) for name in names]


def _filled(environment: Environment, name: str, variables: Mapping[str, Any]) -> str:
    try:
        template: Template = environment.get_template(name)
        return template.render(variables)
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise RenderingFailed(f"{name}: {error or type(error).__name__}") from error
