"""Templates: a whole page, or one of its named blocks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from web import assets, naming, wording

FOLDER = Path(__file__).parent / "templates"


def render(zone: ZoneInfo, template: str, block: str | None, values: Mapping[str, Any]) -> str:
    """Return a page as HTML, or one of its blocks. Raises jinja2's errors for what is not there."""
    environment = _environment(zone.key)
    if block is not None:
        return render_block(environment, template, block, **values)
    return environment.get_template(template).render(**values)


@cache
def _environment(zone_name: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    zone = ZoneInfo(zone_name)
    environment.globals.update(asset=assets.address, icon_exists=assets.icon_exists, left=wording.left)
    environment.filters.update(wording.filters(zone))
    environment.filters.update(naming.FILTERS)
    return environment


def plain(title: str, sentence: str, *, block: str | None = None, **values: Any) -> str:
    """Return a page that needs no database and nobody's name, or its named block."""
    return render(ZoneInfo("UTC"), "plain.html", block, {"title": title, "sentence": sentence, **values})
