"""Markdown as HTML that is safe on any page of ours: no raw HTML, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_WEB = re.compile(r"^(?:https?://|mailto:)", re.IGNORECASE)
_ALIGNED = {"text-align:right": "text-end", "text-align:center": "text-center", "text-align:left": ""}
_SMALLEST = 6


def to_html(text: str, *, below: int = 1, prefix: str = "text") -> str:
    """Return Markdown as HTML. ``below``: the level of the page's heading above it, so that its own begin one lower.

    Headings get ids that begin with ``prefix``; links within the text lead to them. Pictures become their description.
    """
    tokens = _READER.parse(text.removeprefix("\ufeff"))
    seen: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            key = _unique(f"{prefix}-{_slug(tokens[place + 1].content)}", seen)
            token.attrSet("id", key)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + below, _SMALLEST)}"
        _without_style(token)
        if token.children:
            token.children = list(_safe(token.children, prefix))
    return str(_RENDERER.render(tokens, _READER.options, {}))


def _slug(words: str) -> str:
    plain = unicodedata.normalize("NFKC", words).casefold()
    return re.sub(r"[^\w]+", "-", plain).strip("-")[:80] or "part"


def _unique(key: str, seen: dict[str, int]) -> str:
    """Return a key that no heading has yet; the search goes on where the last one for the same key ended."""
    found, number = key, seen.get(key, 1)
    while found in seen:
        number += 1
        found = f"{key}-{number}"
    seen[key] = number
    seen.setdefault(found, 1)
    return found


def _without_style(token: Token) -> None:
    """Alignment as a class: pages of ours take no inline style."""
    style = token.attrs.pop("style", None)
    if style is not None and (name := _ALIGNED.get(str(style).replace(" ", ""))):
        token.attrSet("class", name)
    if token.type == "th_open":
        token.attrSet("scope", "col")


def _safe(children: Sequence[Token], prefix: str) -> Iterator[Token]:
    """Links only to the web, to mail, and within the text; a picture as its description."""
    dropped: list[bool] = []
    for token in children:
        if token.type == "link_open":
            href = str(token.attrGet("href") or "")
            dropped.append(not (_WEB.match(href) or href.startswith("#")))
            if dropped[-1]:
                continue
            _led(token, href, prefix)
        elif token.type == "link_close" and dropped and dropped.pop():
            continue
        elif token.type == "image":
            words = "".join(each.content for each in token.children or ())
            token = Token("text", "", 0, content=f"[Picture: {words}]" if words else "[Picture]")
        yield token


def _led(token: Token, href: str, prefix: str) -> None:
    if href.startswith("#"):
        token.attrSet("href", f"#{prefix}-{_slug(unquote(href[1:]))}")
    else:
        token.attrSet("rel", "noopener noreferrer")
        token.attrSet("target", "_blank")


def _table_open(_: Any, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    return '<div class="table-responsive" tabindex="0" role="group" aria-label="Table"><table class="table">\n'


def _table_close(_: Any, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>\n"


_READER.add_render_rule("table_open", _table_open)
_READER.add_render_rule("table_close", _table_close)
_RENDERER = _READER.renderer
