"""What was typed into the fields of a form as the payload of a model; rows that were left blank are not sent on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from web.forms import Option, Shape, default_of, kind_of, shape_of, text_of
from web.posted import Posted


def payload_of(
    model: type[BaseModel] | None, posted: Posted, *, zone: ZoneInfo, kept: Collection[str] = ()
) -> dict[str, Any]:
    """Return what was typed as the payload of a model: blank fields left out, so that their defaults hold.

    ``kept``: fields whose blank rows stay, since each row stands for something.
    """
    tree = posted.nested()
    return {} if model is None else dict(_values(model, tree, zone, kept))


def _values(
    model: type[BaseModel], tree: Mapping[str, Any], zone: ZoneInfo, kept: Collection[str] = ()
) -> Iterator[tuple[str, Any]]:
    for name, info in model.model_fields.items():
        shape = shape_of(info)
        kind, _ = kind_of(name, shape, [Option("staff:0", "")])
        value = _read(kind, tree.get(name), shape, zone, keeps_blank=name in kept)
        if value not in (None, "", [], {}):
            yield name, value


def _read(kind: str, given: Any, shape: Shape, zone: ZoneInfo, *, keeps_blank: bool = False) -> Any:
    if kind == "checkbox":
        return bool(given) and str(_last(given)).lower() in ("true", "on", "yes", "1")
    if kind == "rows":
        rows = [dict(_values(shape.inner, row, zone)) for row in given or () if isinstance(row, Mapping)]
        return [row for row in rows if keeps_blank or not _is_blank(shape.inner, row)]
    if kind == "several":
        return [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str) and each]
    typed = _last(given)
    if not isinstance(typed, str):
        return None
    if kind == "lines":
        return [line.strip() for line in typed.splitlines() if line.strip()]
    if kind == "pairs":
        parts = (line.partition(":") for line in typed.splitlines() if line.strip())
        return {key.strip(): value.strip() for key, _, value in parts}
    if kind == "datetime":
        return _instant(typed.strip(), zone)
    return typed.strip()


def _is_blank(model: type[BaseModel], row: Mapping[str, Any]) -> bool:
    """Whether nobody touched a row: what stands in it is what stood in it from the beginning."""
    return all(
        value is False or text_of(value) == text_of(default_of(info))
        for name, info in model.model_fields.items()
        if (value := row.get(name)) is not None
    )


def _instant(typed: str, zone: ZoneInfo) -> Any:
    """Return an instant typed by the clock on the wall; what is none is left to be refused."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()


def _last(given: Any) -> Any:
    return given[-1] if isinstance(given, list) and given else given
