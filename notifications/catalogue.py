"""Every kind of message there is, collected from the modules in ``notifications/kinds``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from notifications import kinds as folder
from notifications.kind import MessageKind

TEMPLATES = Path(__file__).parent / "templates"
SUFFIXES = (".subject.txt", ".txt", ".html")


class UnknownKind(LookupError):
    """There is no such kind of message."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no kind of message named {name!r}; notifications/kinds/ defines them.")


class DuplicateKind(ValueError):
    """Two modules define the same kind."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind and the folder its templates are in."""

    kind: MessageKind
    folder: str

    def template(self, suffix: str, language: str = "") -> str:
        """Return the name of one of its templates."""
        infix = f".{language}" if language else ""
        return f"{self.folder}/{self.kind.kind}{infix}{suffix}"


def collected(modules: Iterable[tuple[str, Iterable[MessageKind]]]) -> dict[str, Entry]:
    """Return the entries by kind. Raises DuplicateKind."""
    found: dict[str, Entry] = {}
    for name, listed in modules:
        for one in listed:
            if one.kind in found:
                raise DuplicateKind(
                    f"{one.kind!r} is defined in kinds/{found[one.kind].folder}.py and kinds/{name}.py."
                )
            found[one.kind] = Entry(one, name)
    return found


@cache
def entries() -> Mapping[str, Entry]:
    """Return every kind there is. Raises DuplicateKind."""
    names = sorted(info.name for info in pkgutil.iter_modules(folder.__path__))
    modules = {name: importlib.import_module(f"{folder.__name__}.{name}") for name in names}
    return MappingProxyType(collected((name, getattr(module, "KINDS", ())) for name, module in modules.items()))


def entry(name: str) -> Entry:
    """Return the kind with its folder. Raises UnknownKind."""
    found = entries().get(name)
    if found is None:
        raise UnknownKind(name)
    return found


def kind(name: str) -> MessageKind:
    """Return the kind with this name. Raises UnknownKind."""
    return entry(name).kind


def title_of(name: str) -> str:
    """Return what people call a kind of message; one that there is no more is called by its name."""
    found = entries().get(name)
    return found.kind.title if found else name.replace("_", " ").capitalize()


def kinds() -> tuple[MessageKind, ...]:
    """Return every kind, by name."""
    return tuple(entries()[name].kind for name in sorted(entries()))


def missing_templates() -> list[str]:
    """Return the templates that do not exist, relative to the folder of templates."""
    names = (one.template(suffix) for one in entries().values() for suffix in SUFFIXES)
    return sorted(name for name in names if not (TEMPLATES / name).is_file())


def stray_templates() -> list[str]:
    """Return the templates that belong to no kind, such as one that was renamed."""
    known = set(entries())
    files = (path for path in TEMPLATES.glob("*/*") if path.is_file())
    return sorted(path.relative_to(TEMPLATES).as_posix() for path in files if path.name.split(".")[0] not in known)
