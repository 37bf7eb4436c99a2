"""The results of a campaign as a report: what may be shared, or the internal one. Source: report R6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from cases.campaigning.answered import DIMENSIONS
from cases.campaigning.results import Results
from reports.dossier import Dossier, Sheet
from reports.results_paper import blocks_of
from reports.table import Cell
from reports.told import LEFT_OUT, amount, instant_words, share_of
from surveys.aggregate import QuestionFigures
from surveys.telling import Group, ItemFigures

FIGURES = (
    "section", "question", "text", "part", "dimension", "group", "answers", "coverage %", "figure", "value", "share %",
)  # fmt: skip
QUESTIONS = (
    "section", "question", "text", "kind", "answered", "without an answer", "not asked", "left out with a caveat",
    "corrected by staff", "no answer %", "coverage %",
)  # fmt: skip
CHANGES = ("question", "text", "part", "answered both years", "figure", "last year", "this year", "change")


def results_report(found: Results, zone: ZoneInfo, organisation: str) -> Dossier:
    """Return the report of a campaign's results."""
    questions = [row for title, part in found.parts for row in _question_rows(found, title, part)]
    sheets = [
        Sheet("Figures", FIGURES, _group_rows(found, "")),
        Sheet("Questions", QUESTIONS, questions),
        *(Sheet(f"By {name}", FIGURES, _group_rows(found, name)) for name in DIMENSIONS),
        Sheet("Last year", CHANGES, [row for _, part in found.parts for one in part for row in _change_rows(one)]),
    ]  # fmt: skip
    rows = sum(len(sheet.rows) for sheet in sheets)
    listed = Sheet("Figures", FIGURES, [row for name in ("", *DIMENSIONS) for row in _group_rows(found, name)])
    return Dossier(
        title=f"{found.title}: results", subtitle=_kind(found), as_at=found.as_at,
        as_at_words=instant_words(found.as_at, zone), footer=f"{organisation} · {found.ref} · source {found.source}",
        about=[*about(found), ("Rows of all tables", f"{rows:,}")], notes=notes(found), sheets=sheets, listed=listed,
        blocks=blocks_of(found), stem=f"{found.ref}-results{'' if found.shared else '-internal'}",
    )  # fmt: skip


def _kind(found: Results) -> str:
    if not found.shared:
        return "Internal: nothing is left out. Not to be passed on."
    return "May be shared" if found.approved else "Draft of what may be shared: the report is not approved yet"


def about(found: Results) -> list[tuple[str, str]]:
    """Return what a copy of the results begins with."""
    counts = found.counts
    waiting = found.eligible - found.used - found.exempt
    return [
        ("Campaign", f"{found.ref}, {found.state.lower()}"),
        ("Questions", found.questionnaire),
        ("Of whom", ", ".join(f"{name} {group}" for name, group in found.narrowed.chosen.items())
         or ("everybody who was asked" if counts.whole else "members of the own teams")),
        ("Responded", f"{counts.responded:,} of {counts.eligible:,} ({share_of(counts.responded, counts.eligible)})"),
        ("Accounted for", f"{counts.accounted:,} of {counts.eligible:,}"
                          f" ({share_of(counts.accounted, counts.eligible)}): answered, exempt or decided"),
        ("Answered last year too", f"{found.panel:,}" if _tellable(found, found.panel) else LEFT_OUT),
        ("Source run", found.source),
        ("Control total", f"{found.used:,} answers counted + {found.exempt:,} exempt + {waiting:,} without an answer"
                          f" = {found.eligible:,} members"),
    ]  # fmt: skip


def _tellable(found: Results, number: int) -> bool:
    """Return whether a number of members is told: neither it nor the rest is small."""
    rest = found.used - number
    return not found.shared or all(each == 0 or each >= found.smallest for each in (number, rest))


def notes(found: Results) -> list[str]:
    """Return how the figures were counted and what is left out, in sentences."""
    told = [
        "Shares are of those who answered the question. Coverage is the share of those who had to answer the survey:"
        " everybody who was asked and is not exempt.",
        "Responding and being accounted for are two numbers: who is exempt or stays silent is accounted for and has"
        " not responded.",
        "What was accepted with a caveat is left out where the caveat says so. What staff corrected is counted, and"
        " marked.",
        "A change since last year is of the members who answered the question in both years, and of no others.",
        "Tier, country and region are as the register says today. Texts and files are counted and never listed.",
    ]
    return told + (_suppression(found) if found.shared else ["Nothing is left out. Only answers that the person who"
                   " took this may open are counted."])  # fmt: skip


def _suppression(found: Results) -> list[str]:
    return [
        f"No figure stands on fewer than {found.smallest} answers. Where a figure that is left out could be worked out"
        " from the others (a total less its parts, a region less its countries, everybody less a group), others are"
        " left out with it.",
        "A question that only some are asked is left out where the answers that decide it may not be told.",
        f"A total or mean of which one member makes more than {100 * found.dominance:.0f} % is left out. Numbers are"
        " rounded to three digits; the least and the greatest are not told.",
        "There is one such table of a campaign. Filters choose from it and never count afresh.",
    ]


def _figure_rows(found: Results, title: str, one: QuestionFigures, dimension: str) -> Iterator[tuple[Cell, ...]]:
    """Yield the figures of a question, of everybody or of the groups of a dimension, one a row."""
    if one.withheld:
        yield (title, one.question.id, one.question.text, "", dimension, "", LEFT_OUT, None, "", LEFT_OUT, None)
    for item in one.items:
        for group in item.by[dimension] if dimension else (found.told(item),):
            at = (dimension, group.name) if dimension else found.group
            head = (title, one.question.id, one.question.text, item.item.label, *at, _n(group),
                    None if group.n is None else amount(found.coverage(group.n, at), 1))  # fmt: skip
            yield from ((*head, *each) for each in _values(item, group))


def _values(item: ItemFigures, group: Group) -> Iterator[tuple[Cell, Cell, Cell]]:
    """Yield name, value and share of each figure of a group."""
    if group.n is None or item.item.kind == "given":
        yield ("answers", _n(group), None)
    elif group.numbers is not None:
        told = group.numbers
        named = (
            ("median", told.median), ("mean", told.mean), ("10th percentile", told.p10),
            ("90th percentile", told.p90), ("total", told.total), ("least", told.low), ("greatest", told.high),
        )  # fmt: skip
        for name, value in named:
            if value is not None or name in ("median", "mean"):
                yield (name, LEFT_OUT if value is None and group.n else amount(value), None)
    for cell in group.cells if group.n is not None else ():
        yield (cell.label, LEFT_OUT if cell.number is None else cell.number, amount(cell.share, 1))


def _n(group: Group) -> Cell:
    return LEFT_OUT if group.n is None else group.n


def _group_rows(found: Results, dimension: str) -> list[tuple[Cell, ...]]:
    return [row for title, part in found.parts for one in part for row in _figure_rows(found, title, one, dimension)]


def _question_rows(found: Results, title: str, part: Sequence[QuestionFigures]) -> Iterator[tuple[Cell, ...]]:
    for one in part:
        head = (title, one.question.id, one.question.text, one.question.type)
        if one.withheld or any(item.all.n is None for item in one.items):
            yield (*head, *[LEFT_OUT] * 5, None, None)
            continue
        numbers = [one.answered, one.unanswered, one.not_asked, one.excluded, one.imputed]
        told = [number if found.tells(number) else f"fewer than {found.smallest}" for number in numbers]
        yield (*head, *told, amount(found.non_response(one), 1), amount(found.coverage(one.answered), 1))


def _change_rows(one: QuestionFigures) -> Iterator[tuple[Cell, ...]]:
    for item in one.items:
        if item.change is None:
            continue
        head = (one.question.id, one.question.text, item.item.label, item.change.n)
        if item.change.medians is not None:
            before, now = item.change.medians
            yield (*head, "median", amount(before), amount(now), amount(now - before))
        for label, before, now in item.change.shares:
            yield (*head, f"{label}, %", amount(before, 1), amount(now, 1), amount(now - before, 1))
