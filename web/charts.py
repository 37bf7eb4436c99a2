"""Drawings made by the server as SVG: a line chart, and a bar of parts. Colours are classes, so that dark pages work.

A drawing says in words what it shows; the page beside it has the same numbers as text or as a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 760, 280
NARROW, TALL = 360, 260
"""Of the drawing for a phone: the same words, as large, in half the width."""
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 16, 44
MOST_TICKS = 6


@dataclass(frozen=True)
class Series:
    """One line: its name, the class that gives it its look, and its points as (x, y)."""

    name: str
    look: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Band:
    """An area between two lines: its name, its look, and its points as (x, low, high)."""

    name: str
    look: str
    points: Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at an x with a word of what it is. ``look``: ``past``, ``coming`` or ``end``."""

    x: float
    name: str
    look: str = "past"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: its name, how much it is, and the class that gives it its look."""

    name: str
    number: int
    look: str


def line_chart(
    title: str, told: str, series: Sequence[Series], *, x_end: float, y_end: float,
    x_names: Sequence[tuple[float, str]], marks: Sequence[Mark] = (), bands: Sequence[Band] = (), key: str = "chart",
    narrow: bool = False,
) -> Markup:  # fmt: skip
    """Return a chart of lines from 0 to ``x_end`` and ``y_end``; ``told`` is what it shows, in a sentence.

    ``x_names`` are the words below the axis and where they stand; ``key`` makes the ids on the page. A ``narrow`` one
    can be read on a phone.
    """
    step = _step(y_end)
    top = step * max(-(-int(y_end) // step), 1)
    frame = _Frame(max(x_end, 1), top, *((NARROW, TALL) if narrow else (WIDTH, HEIGHT)))
    inside = [
        *(_grid(frame, value) for value in range(0, top + 1, step)),
        *(_x_name(frame, x, name, x_end) for x, name in x_names),
        *(_mark(frame, mark) for mark in marks),
        *(_band(frame, each) for each in bands if each.points),
        *(_line(frame, each) for each in series),
    ]
    return Markup(
        '<svg class="plot plot-lines" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{k}-title {k}-told">'
        '<title id="{k}-title">{title}</title><desc id="{k}-told">{told}</desc>{inside}</svg>'
    ).format(w=frame.width, h=frame.height, k=key, title=title, told=told, inside=Markup("").join(inside))


def for_any_screen(wide: Markup, narrow: Markup) -> Markup:
    """Return two drawings of the same, of which one is shown: the narrow one on a phone."""
    return Markup('<div class="d-none d-sm-block">{}</div><div class="d-sm-none">{}</div>').format(wide, narrow)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The area of the lines, and how values lie in it."""

    x_end: float
    y_end: float
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        return round(LEFT + (self.right - LEFT) * value / self.x_end, 1)

    def y(self, value: float) -> float:
        return round(self.bottom - (self.bottom - TOP) * value / self.y_end, 1)


def _step(value: float) -> int:
    """Return the round distance of the lines of a grid: at most five of them reach the value."""
    size = 1
    while True:
        for times in (1, 2, 5):
            if size * times * 5 >= value:
                return size * times
        size *= 10


def _grid(frame: _Frame, value: int) -> Markup:
    y = frame.y(value)
    return Markup(
        '<line class="grid" x1="{l}" x2="{r}" y1="{y}" y2="{y}"/>'
        '<text class="tick" x="{tx}" y="{ty}" text-anchor="end">{value}</text>'
    ).format(l=LEFT, r=frame.right, y=y, tx=LEFT - 6, ty=round(y + 4, 1), value=f"{value:,}")


def _x_name(frame: _Frame, x: float, name: str, end: float) -> Markup:
    anchor = "start" if x <= 0 else "end" if x >= end else "middle"
    return Markup('<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{name}</text>').format(
        x=frame.x(x), y=frame.bottom + 18, anchor=anchor, name=name
    )


def _mark(frame: _Frame, mark: Mark) -> Markup:
    x = frame.x(mark.x)
    return Markup(
        '<g class="event {look}"><title>{name}</title><line x1="{x}" x2="{x}" y1="{t}" y2="{b}"/>'
        '<path d="M{x} {b}l-4 8h8z"/></g>'
    ).format(look=mark.look, name=mark.name, x=x, t=TOP, b=frame.bottom)


def _band(frame: _Frame, band: Band) -> Markup:
    above = [f"{frame.x(x)},{frame.y(high)}" for x, _, high in band.points]
    below = [f"{frame.x(x)},{frame.y(low)}" for x, low, _ in reversed(band.points)]
    return Markup('<polygon class="band {look}" points="{places}"><title>{name}</title></polygon>').format(
        look=band.look, name=band.name, places=" ".join([*above, *below])
    )


def _line(frame: _Frame, series: Series) -> Markup:
    if not series.points:
        return Markup("")
    places = " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in series.points)
    x, y = series.points[-1]
    return Markup('<g class="line {look}"><title>{name}</title><polyline points="{places}"/>{end}</g>').format(
        look=series.look, name=series.name, places=places,
        end=Markup('<circle cx="{}" cy="{}" r="3.5"/>').format(frame.x(x), frame.y(y)),
    )  # fmt: skip


def ticks(days: int, most: int = MOST_TICKS) -> list[int]:
    """Return a few days from 0 on, whole weeks apart where there are many, the last day among them."""
    if days <= most:
        return list(range(days + 1))
    step = 7 * max(-(-days // (7 * most)), 1) if days >= 14 else 2
    found = list(range(0, days, step))
    if len(found) > 1 and days - found[-1] < step / 2:
        found.pop()
    return [*found, days]


def bar(title: str, parts: Sequence[Part]) -> Markup:
    """Return a bar of parts, as wide as its place; nothing of nobody. It tells its parts in words."""
    whole = sum(part.number for part in parts)
    told = ", ".join(f"{part.name} {part.number:,}" for part in parts if part.number)
    pieces, x = [], 0.0
    for part in parts:
        width = 1000 * part.number / whole if whole else 0
        if width:
            pieces.append(
                Markup('<rect class="part {}" x="{}" y="0" width="{}" height="24"><title>{}: {}</title></rect>').format(
                    part.look, round(x, 2), round(width, 2), part.name, f"{part.number:,}"
                )
            )
        x += width
    return Markup(
        '<svg class="plot plot-bar" viewBox="0 0 1000 24" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg>'
    ).format(f"{title}: {told or 'nobody'}", Markup("").join(pieces))


def share_bar(share: float | None, look: str = "complete") -> Markup:
    """Return a bar of a share in per cent, as wide as its place; the number stands beside it as text."""
    if share is None:
        return Markup("")
    return Markup(
        '<svg class="plot plot-share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="part" x="0" y="0" width="100" height="8"/>'
        '<rect class="part {}" x="0" y="0" width="{}" height="8"/></svg>'
    ).format(look, round(min(max(share, 0), 100), 1))
