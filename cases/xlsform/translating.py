"""A form as the definition of a questionnaire: groups become sections, repeats and lists of selects become tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cases.xlsform.answers import Asked
from cases.xlsform.choices import Lists
from cases.xlsform.kinds import LEFT_OUT
from cases.xlsform.languages import Speaking
from cases.xlsform.naming import Names, is_matrix, slug
from cases.xlsform.problems import Found
from cases.xlsform.rows import Line, tree
from cases.xlsform.tables import matrix, repeat
from cases.xlsform.workbook import Form

_SETTINGS = frozenset({"title", "id_string", "version", "default_language", "__row", "name", "sms_keyword"})
_SHOWS = re.compile(r"^(?P<words>[^$]*?)[\s:=]*\$\{\s*(?P<name>[\w.-]+)\s*\}\s*\.?$", re.DOTALL)


class Translation:
    """The definition of a form, and the row that each question came from."""

    def __init__(self, form: Form, fallback: str, found: Found) -> None:
        self._form, self._found = form, found
        self._speaking = Speaking(form, found)
        lines = tree(form.survey, found)
        self._names = Names(lines, found)
        self._asked = Asked(self._names, self._speaking, Lists(form, self._speaking, found), found)
        self._title = self._speaking.text(form.settings.get("title") or fallback, 2, "title", "settings") or fallback
        self._sections: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self.rows: dict[str, int] = {}
        self._walk(lines, (), 0)
        self.definition = self._whole(fallback)

    def _whole(self, fallback: str) -> dict[str, Any]:
        settings, first = self._form.settings, self._speaking.first
        for column in set(settings) - _SETTINGS:
            self._found.ignore(f"Sheet settings, column {column}: not used.")
        version = str(settings.get("version") or "")
        title = self._title if isinstance(self._title, str) else self._title[first]
        return {
            "name": slug(str(settings.get("id_string") or fallback), "-"),
            "version": int(version) if re.fullmatch(r"[1-9]\d{0,8}", version, re.ASCII) else 1,
            "title": self._title,
            "intent": f"Please answer the questions of “{title}”.",
            "languages": self._speaking.tags,
            "sections": [section for section in self._sections if section["questions"]],
        }

    def _walk(self, lines: list[Line], conditions: tuple[str, ...], depth: int) -> None:
        for line in lines:
            if line.kind == "group" and not is_matrix(line):
                self._group(line, conditions, depth)
            else:
                self._put(line, conditions)

    def _group(self, line: Line, conditions: tuple[str, ...], depth: int) -> None:
        inner = self._asked.narrowed(line, conditions)
        title = self._speaking.text(line.cells.get("label"), line.row, "label")
        if title is not None and depth == 0:
            taken = [section["id"] for section in self._sections]
            self._open = {"id": slug(line.name, taken=taken), "title": title, "questions": []}
            self._sections.append(self._open)
        elif title is not None:
            heading = {"id": slug(f"{line.name}_heading", taken=self.rows), "type": "note", "text": title}
            self._add(heading, line, inner)
        self._walk(line.inside, inner, depth + 1)
        if depth == 0:
            self._open = None

    def _section(self) -> dict[str, Any]:
        """Return the section that is being filled; what stands outside all groups has one called like the form."""
        if self._open is None:
            taken = [section["id"] for section in self._sections]
            self._open = {"id": slug("questions", taken=taken), "title": self._title, "questions": []}
            self._sections.append(self._open)
        return self._open

    def _add(self, question: dict[str, Any], line: Line, conditions: tuple[str, ...]) -> None:
        self._section()["questions"].append(self._asked.shown(question, conditions))
        self.rows[question["id"]] = line.row

    def _put(self, line: Line, conditions: tuple[str, ...]) -> None:
        if line.kind in LEFT_OUT:
            self._found.ignore(f"Sheet survey, row {line.row}: {line.kind} is noted by telephones only.")
            return
        inner = self._asked.narrowed(line, conditions)
        made = self._made(line)
        if made is None:
            return
        self._add(made, line, inner)
        if line.or_other:
            other = self._asked.other(line, made)
            self._add(other, line, (*inner, self._asked.other_chosen(line)))

    def _made(self, line: Line) -> dict[str, Any] | None:
        if line.kind == "repeat":
            return repeat(line, self._asked)
        if line.kind == "group":
            return matrix(line, self._asked)
        if line.kind == "note":
            return self._note(line)
        return self._asked.question(line)

    def _note(self, line: Line) -> dict[str, Any] | None:
        """Return a note; one that ends with an answer, such as "Total: ${total}", is a calculation that is shown."""
        label = line.cells.get("label")
        said: Mapping[str, Any] = label if isinstance(label, Mapping) else {"default": label}
        shows = {name: _SHOWS.match(str(words)[:1000]) for name, words in said.items() if words}
        asked = {found["name"] for found in shows.values() if found}
        if len(asked) == 1 and all(shows.values()):
            words = {name: found["words"] for name, found in shows.items() if found}
            return self._asked.shown_answer(line, words, f"${{{asked.pop()}}}")
        text = self._speaking.text(label, line.row, "label")
        if text is None:
            self._found.ignore(f"Sheet survey, row {line.row}: a note without a text.")
            return None
        return self._asked.headed(line, {"type": "note"}, text)
