"""The handbook page of a process as HTML: made from its Markdown, which is made from the definition and the policy.

States are called by their names and lead to their line in the table of states; raw HTML is not let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from state_machines import handbook
from state_machines.english import capital
from state_machines.policy import Policy
from state_machines.process import Process
from web.diagrams import diagram
from web.handbook_words import in_words

_STATES = "States"
_SCROLLED = Markup('<div class="card table-responsive" tabindex="0" role="group" aria-label="{}">')
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Section:
    """A heading of the page, to be led to."""

    key: str
    title: str


def sections(html: str) -> list[Section]:
    """Return the headings of a page, in order."""
    return [Section(key, title) for key, title in re.findall(r'<h2 id="([\w-]+)">([^<]+)</h2>', html)]


def page(process: Process, policy: Policy, kinds: Mapping[str, str]) -> Markup:
    """Return everything about a process below its title. ``kinds`` gives the titles of message kinds."""
    text = in_words(_COMMENT.sub("", handbook.page(process, policy, kinds)), process)
    tokens = list(_Rewritten(process).tokens(_READER.parse(text)))
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704  made from our own text, HTML escaped


class _Rewritten:
    """The tokens of a page, made fit for the desk."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._section = ""
        self._columns: list[str] = []
        self._column = 0
        self._in_head = False

    def tokens(self, tokens: Sequence[Token]) -> Iterator[Token]:
        place = 0
        while place < len(tokens):
            token = tokens[place]
            if token.type == "heading_open" and token.tag == "h1":
                place += 3  # the page has a title already
                continue
            if token.type == "heading_open":
                self._section = tokens[place + 1].content
                token.attrSet("id", _key(self._section))
            yield from self._one(token)
            place += 1

    def _one(self, token: Token) -> Iterator[Token]:
        if token.type == "fence":
            yield _html(diagram(self._process.name))
            return
        if token.type == "table_open":
            self._columns = []
            token.attrSet("class", "table table-cards")
            yield _html(_SCROLLED.format(self._section))
            yield token
            yield _html(Markup('<caption class="visually-hidden">{}</caption>').format(self._section))
            return
        self._cell(token)
        if token.type == "inline":
            token.children = [self._inline(each) for each in token.children or []]
        yield token
        if token.type == "table_close":
            yield _html(Markup("</div>"))

    def _cell(self, token: Token) -> None:
        """Give cells what makes a table readable to everybody: scopes, and labels for a narrow screen."""
        if token.type in ("thead_open", "thead_close"):
            self._in_head = token.type == "thead_open"
        elif token.type == "tr_open":
            self._column = 0
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "td_open":
            token.attrSet("data-label", capital(self._columns[self._column]))
        if token.type in ("td_open", "td_close") and self._column == 0:
            token.tag = "th"
            if token.type == "td_open":
                token.attrSet("scope", "row")
        if token.type in ("th_close", "td_close"):
            self._column += 1
        if token.type == "inline" and self._in_head:
            self._columns.append(token.content)
            for each in token.children or []:
                each.content = capital(each.content)

    def _inline(self, token: Token) -> Token:
        state = self._process.by_name.get(token.content) if token.type == "code_inline" else None
        if state is None:
            return token
        if self._section == _STATES and self._column == 0:
            return _html(Markup('<span id="state-{}">{}</span>').format(state.name, state.title), inline=True)
        return _html(Markup('<a href="#state-{}">{}</a>').format(state.name, state.title), inline=True)


def _html(markup: Markup, *, inline: bool = False) -> Token:
    """Return a token that is written as it is."""
    return Token("html_inline" if inline else "html_block", "", 0, content=str(markup))


def _key(title: str) -> str:
    return "about-" + re.sub(r"\W+", "-", title.lower()).strip("-")


def first_paragraph(process: Process) -> str:
    """Return the first paragraph of what a definition says about itself."""
    return " ".join(process.doc.strip().split("\n\n")[0].split())
