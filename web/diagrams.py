"""The drawing of a process on a page: an SVG that Graphviz made once, without colours of its own.

``muster process docs`` draws; the page marks where a case is and has been. Colours come from the style sheet.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as Tree

from markupsafe import Markup, escape

from state_machines.diagram import digest, tips
from state_machines.process import Process
from state_machines.registry import process_named

FOLDER = Path(__file__).parent / "static" / "diagrams"
_SVG = "http://www.w3.org/2000/svg"
_DRAWN_WITH = ("id", "fill", "stroke", "stroke-dasharray", "font-family", "style")
_STATE = re.compile(r'class="(state(?: final)? state-(\w+))"')


def file_of(name: str) -> Path:
    """Return where the drawing of a process lies."""
    return FOLDER / f"{name.replace('_', '-')}.svg"


def cleaned(process: Process, drawn: str) -> str:
    """Return what Graphviz drew as the page takes it in: classes and words, no colours, fonts or identifiers."""
    Tree.register_namespace("", _SVG)
    root = Tree.fromstring(drawn)  # noqa: S314  Graphviz made it from our own text
    said = tips(process)
    _without_background(root)
    for part in root.iter():
        for name in _DRAWN_WITH:
            part.attrib.pop(name, None)
        part.tail = None
        if part.tag == f"{{{_SVG}}}g":
            _named(part, said)
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    label = f"diagram-{process.name}"
    root.attrib |= {
        "width": f"{width:.0f}", "height": f"{height:.0f}", "class": "process-drawing", "role": "img",
        "aria-labelledby": f"{label}-title {label}-text", "data-digest": digest(process),
    }  # fmt: skip
    title, text = Tree.Element(f"{{{_SVG}}}title", id=f"{label}-title"), Tree.Element(f"{{{_SVG}}}desc")
    title.text, text.text = f"{process.title}, as a diagram", ", ".join(state.title for state in process.states) + "."
    text.attrib["id"] = f"{label}-text"
    root[:0] = [title, text]
    return Tree.tostring(root, encoding="unicode") + "\n"


def _without_background(root: Tree.Element) -> None:
    for group in list(root):
        group.attrib.pop("class", None)
        for part in list(group):
            if part.tag in (f"{{{_SVG}}}polygon", f"{{{_SVG}}}title"):
                group.remove(part)


def _named(group: Tree.Element, said: dict[str, str]) -> None:
    """Give a state or an arrow its class and, instead of its name, what is said of it."""
    kinds = [kind for kind in group.attrib.get("class", "").split() if kind not in ("node", "graph")]
    if kinds:
        group.attrib["class"] = " ".join(kinds)
    title = group.find(f"{{{_SVG}}}title")
    if title is not None:
        words = said.get(title.text or "")
        if words is None:
            group.remove(title)
        else:
            title.text = words


def diagram(process_name: str, *, current: str | None = None, visited: Collection[str] = ()) -> Markup:
    """Return the drawing of a process, with the state a case is in and those it has been in marked.

    Raises UnknownProcess. Where the drawing is missing, says so instead: the page has the same in words.
    """
    process = process_named(process_name)
    drawing = _drawing(process.name)
    if drawing is None:
        return Markup('<p class="text-secondary">This process has not been drawn.</p>')

    def marked(found: re.Match[str]) -> str:
        mark = " current" if found[2] == current else " visited" if found[2] in visited else ""
        return f'class="{found[1]}{mark}"'

    drawing = _STATE.sub(marked, drawing)
    if current in process.by_name:
        here = escape(f"The case is in the state {process.state(current or '').title}. ")
        drawing = re.sub(r'(<desc id="[^"]*">)', lambda found: found[1] + str(here), drawing, count=1)
    return Markup(  # noqa: S704  our own drawing; what is put into it is escaped
        f'<div class="process-diagram" tabindex="0" role="group" aria-label="{escape(process.title)}, diagram">'
        f"{drawing}</div>"
    )


@cache
def _drawing(name: str) -> str | None:
    try:
        return file_of(name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
