"""The results of a campaign on paper: a chart for each question with its numbers beside it, groups as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cases.campaigning.results import Results
from papers.blocks import Bar, Bars, Block, Column, Definitions, Grid, Heading, Paragraph, Spread, Spreads
from reports.told import LEFT_OUT, amount_words
from surveys.aggregate import QuestionFigures
from surveys.telling import Cell, Group, ItemFigures

BESIDE = ("tier", "region")
"""Told below each question; countries, which are many, stand at the end."""
MOST_ANSWERS = 7
"""Answers up to which groups are told in a table; of more the workbook has them."""


def blocks_of(found: Results) -> list[Block]:
    """Return what the paper says, section by section."""
    if not found.used:
        return [Heading("Results"), Paragraph("No answer has come in yet.")]
    blocks: list[Block] = []
    for title, part in found.parts:
        blocks.append(Heading(title))
        for one in part:
            blocks += _question(found, one)
    return [*blocks, *_by_country(found)]


def _question(found: Results, one: QuestionFigures) -> Iterator[Block]:
    yield Heading(one.question.text, 2)
    if one.withheld:
        yield Paragraph("Left out: it hangs on an answer that few gave.", "small")
        return
    for item in one.items:
        if item.item.label:
            yield Heading(item.item.label, 3)
        told = found.told(item)
        yield Paragraph(_head(found, one, told), "small")
        if told.n:
            yield from _figures(item, told)
            yield from _change(item, found)
            if not found.group[0]:
                yield from (block for name in BESIDE for block in _groups(item, name, found))


def _head(found: Results, one: QuestionFigures, told: Group) -> str:
    if told.n is None:
        return f"Fewer than {found.smallest} answers: left out."
    words = [f"{told.n:,} answers"]
    covered = found.coverage(told.n, found.group)
    if covered is not None:
        words.append(f"{int(covered)} % of those who had to answer the survey")
    if silent := found.non_response(one):
        words.append(f"{amount_words(silent, digits=0)} % of those asked gave no answer")
    if one.imputed and found.tells(one.imputed):
        words.append(f"{one.imputed:,} corrected by staff")
    return "; ".join(words) + "."


def _figures(item: ItemFigures, told: Group) -> Iterator[Block]:
    if told.numbers is not None:
        numbers, unit = told.numbers, item.item.unit
        pairs = [("Median", numbers.median), ("Mean", numbers.mean), ("9 of 10 above", numbers.p10),
                 ("9 of 10 below", numbers.p90), ("In all", numbers.total)]  # fmt: skip
        if numbers.low is not None:
            pairs += [("Least", numbers.low), ("Greatest", numbers.high)]
        if unit == "%":
            pairs = [pair for pair in pairs if pair[0] != "In all"]
        yield Definitions([(name, amount_words(value, unit)) for name, value in pairs])
    elif told.cells:
        yield Bars("", [Bar(cell.label, cell.share, _cell(cell)) for cell in told.cells], top=100)


def _cell(cell: Cell) -> str:
    if cell.number is None:
        return LEFT_OUT
    return f"{cell.number:,} ({amount_words(cell.share or 0, digits=0)} %)"


def _change(item: ItemFigures, found: Results) -> Iterator[Block]:
    change = item.change
    if change is None or found.group[0]:
        return
    head = f"{change.n:,} members answered in both years. "
    if change.medians is not None:
        before, now = (amount_words(each, item.item.unit) for each in change.medians)
        yield Paragraph(f"{head}Their median went from {before} to {now}.", "small")
        return
    shares = (f"{label}: {amount_words(before, digits=0)} % to {amount_words(now, digits=0)} %"
              for label, before, now in change.shares)  # fmt: skip
    yield Paragraph(f"{head}{'; '.join(shares)}.", "small")


def _groups(item: ItemFigures, dimension: str, found: Results) -> Iterator[Block]:
    """Yield the figures by group, where there is more than one."""
    groups = item.by.get(dimension, ())
    if len(groups) < 2 or item.item.kind == "given":
        return
    if _nothing(groups):
        yield Paragraph(f"By {dimension}: left out.", "small")
    elif item.item.kind == "number":
        yield Spreads(f"By {dimension}: median, with 8 of 10 around it", [_spread(item, each) for each in groups])
    elif len(item.all.cells) <= MOST_ANSWERS:
        yield _grid(item, dimension, groups)


def _nothing(groups: Sequence[Group]) -> bool:
    """Return whether nothing may be told of any group but how many they are."""
    return all(cell.number is None for group in groups for cell in group.cells) and not any(
        group.numbers for group in groups
    )


def _spread(item: ItemFigures, group: Group) -> Spread:
    numbers = group.numbers
    if group.n is None or numbers is None:
        return Spread(group.name, None, None, None, LEFT_OUT)
    told = f"{amount_words(numbers.median, item.item.unit)} (n {group.n:,})"
    return Spread(group.name, numbers.p10, numbers.median, numbers.p90, told)


def _grid(item: ItemFigures, dimension: str, groups: Sequence[Group]) -> Grid:
    columns = [Column(dimension.capitalize()), Column("Answers", "right")]
    columns += [Column(cell.label, "right") for cell in item.all.cells]
    rows = []
    for group in groups:
        if group.n is None:
            rows.append([group.name, LEFT_OUT, *[""] * len(item.all.cells)])
        else:
            rows.append([group.name, f"{group.n:,}", *(_cell(cell) for cell in group.cells)])
    return Grid(columns, rows, caption=f"By {dimension}")


def _by_country(found: Results) -> Iterator[Block]:
    """Yield an annex by country, where more than one may be told."""
    if found.group[0]:
        return
    begun = False
    for _, part in found.parts:
        for one in part:
            for item in one.items:
                told = tuple(group for group in item.by["country"] if group.n is not None)
                if len(told) < 2 or item.item.kind == "given" or len(item.all.cells) > MOST_ANSWERS:
                    continue
                if not begun:
                    yield Heading("By country")
                    yield Paragraph("Countries of which too little may be told are not listed.", "small")
                    begun = True
                yield Heading(f"{one.question.text} {item.item.label}".strip(), 2)
                if item.item.kind == "number":
                    yield Spreads("", [_spread(item, group) for group in told])
                else:
                    yield _grid(item, "country", told)
