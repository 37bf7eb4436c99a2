"""What a printed paper consists of, as values: a title, then blocks from the first page to the last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

Look = Literal["plain", "strong", "small", "code", "quote"]
Align = Literal["left", "right", "centre"]


@dataclass(frozen=True)
class Paper:
    """What a paper is about. The same paper with the same blocks is the same bytes."""

    title: str
    created: datetime
    """The instant that its metadata tell, with a zone."""
    running: str = ""
    """Beside the title at the head of each page but the first, such as "As at 3 November 2026, 10:12"."""
    footer: str = ""
    """At the foot of each page, left of the number of the page."""
    subtitle: str = ""
    subject: str = ""
    author: str = "Muster"
    language: str = "en-GB"


@dataclass(frozen=True)
class Heading:
    """A heading, which is a bookmark as well. Level 1 is the first below the title."""

    text: str
    level: Literal[1, 2, 3] = 1


@dataclass(frozen=True)
class Paragraph:
    """Text; lines that it breaks itself stay broken."""

    text: str
    look: Look = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list; its items are numbered from 1 where ``numbered``."""

    items: Sequence[str]
    numbered: bool = False


@dataclass(frozen=True)
class Definitions:
    """Terms and what they are; ``code`` shows what they are letter by letter, as digests are."""

    pairs: Sequence[tuple[str, str]]
    code: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a grid. ``width`` is its share of the page beside the others; None is worked out from the cells."""

    name: str
    align: Align = "left"
    width: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table; its head is repeated on each page, and a row longer than a page goes on overleaf."""

    columns: Sequence[Column]
    rows: Iterable[Sequence[str]]
    caption: str = ""
    total: bool = False
    """The last row is set off, as a total is."""


@dataclass(frozen=True)
class Bar:
    """A bar of a chart. ``value`` None: there is one that is not told, for which ``told`` gives the words."""

    label: str
    value: float | None
    told: str
    """What stands beside it, such as "12 (40 %)"."""


@dataclass(frozen=True)
class Bars:
    """A chart of bars, each with its words beside it. ``top`` is the value of a full bar; None takes the largest."""

    title: str
    bars: Sequence[Bar]
    top: float | None = None


@dataclass(frozen=True)
class Spread:
    """Where the middle of some figures lies: the 10th percentile, the median, and the 90th."""

    label: str
    low: float | None
    middle: float | None
    high: float | None
    told: str


@dataclass(frozen=True)
class Spreads:
    """A chart of spreads on one scale, each with its words beside it."""

    title: str
    spreads: Sequence[Spread]


@dataclass(frozen=True)
class Curve:
    """A line, with a band around it where ``band`` has the low and the high value of each of its points."""

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()
    dashed: bool = False


@dataclass(frozen=True)
class Lines:
    """A chart of lines from 0 up; ``told`` says in words what it shows and is printed below."""

    title: str
    told: str
    curves: Sequence[Curve]
    x_names: Sequence[tuple[float, str]] = field(default=())


@dataclass(frozen=True)
class PageBreak:
    """What follows starts on a new page."""


Block: TypeAlias = (
    Heading | Paragraph | Bullets | Definitions | Grid | Bars | Spreads | Lines | PageBreak
)  # fmt: skip
