"""The risks of a campaign as a report: by name for those who may see them, in numbers to share. Source: report R4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from cases.campaigning.answered import DIMENSIONS
from cases.campaigning.risk_report import BAND_WORDS, BANDS, BEFORE, RiskLine, RiskReport
from papers.blocks import Bar, Bars, Block, Column, Grid, Heading, Paragraph
from reports.dossier import Dossier, Sheet
from reports.table import Cell
from reports.told import LEFT_OUT, amount, amount_words, instant_words
from surveys.scoring import MODEL_VERSION
from surveys.telling import Group

MEMBERS = (
    "case", "member", "name", "tier", "country", "region", "team", "band", "score", "last year", "change",
    "band last year", "first driver", "second driver", "third driver", "open cases", "action",
)  # fmt: skip
DISTRIBUTION = ("dimension", "group", "members", "band", "number", "share %")


def risk_dossier(found: RiskReport, zone: ZoneInfo, organisation: str) -> Dossier:
    """Return the report of a campaign's risks."""
    sheets = [
        Sheet("Bands", DISTRIBUTION, list(_distribution(found))),
        Sheet("Last year to this year", *_matrix(found)),
    ]
    if not found.shared:
        sheets.insert(0, Sheet("Members", MEMBERS, [_row(line) for line in found.lines]))
    rows = sum(len(sheet.rows) for sheet in sheets)
    kind = "May be shared" if found.approved else "Draft of what may be shared: the report is not approved yet"
    return Dossier(
        title=f"{found.title}: risks",
        subtitle=kind if found.shared else "Internal: members are named. Not to be passed on.", as_at=found.as_at,
        as_at_words=instant_words(found.as_at, zone), footer=f"{organisation} · {found.ref} · source {found.source}",
        about=[*_about(found), ("Rows of all tables", f"{rows:,}")], notes=_notes(found), sheets=sheets,
        listed=sheets[0], blocks=list(_blocks(found)), stem=f"{found.ref}-risk{'' if found.shared else '-internal'}",
    )  # fmt: skip


def _about(found: RiskReport) -> list[tuple[str, str]]:
    scored = sum(found.models.values())
    told = [
        ("Campaign", f"{found.ref}, {found.state.lower()}"),
        ("Questions", found.questionnaire),
        ("Of whom", ", ".join(f"{name} {group}" for name, group in found.narrowed.chosen.items())
         or ("everybody who had to answer" if found.counts.whole else "members of the own teams")),
        ("Source run", found.source),
        ("Version of the model", ", ".join(str(model) for model in sorted(found.models)) or str(MODEL_VERSION)),
    ]  # fmt: skip
    if found.shared:
        told.append(("Control total", f"{found.everybody:,} members in all bands together"))
    else:
        without = found.everybody - scored
        told.append(("Control total", f"{scored:,} scores + {without:,} without = {found.everybody:,} members"))
        again = (f"{len(found.disagreeing):,} scores do not follow from what is stored: {', '.join(found.disagreeing)}"
                 if found.disagreeing else f"all {scored:,} scores come out as they were stored")  # fmt: skip
        told.append(("Computed again", again))
    return told


def _notes(found: RiskReport) -> list[str]:
    told = [
        "The score is what the answers weigh: for each question with a weight, the weight times the risk of the answer,"
        " divided by all weights, times 100. A required question without an answer counts as the whole risk.",
        "Added to it: an open monitoring case 20, found by the watch 15, answered late 5, left open last year 10, and"
        " what the policy adds for a country, at most 10. The score ends at 100.",
        "Low is below 25, medium below 50, high below 75, critical from 75.",
        "Who has not answered is not known. No answer is never no risk. Who is exempt is not in this report.",
    ]
    if found.shared:
        told.append(f"No number below {found.smallest} is told, nor what such could be worked out from.")
    return told


def _row(line: RiskLine) -> tuple[Cell, ...]:
    drivers = [*line.drivers, "", "", ""][:3]
    groups = [line.groups[name] for name in (*DIMENSIONS, "team")]
    return (
        line.case, line.member_ref, line.member, *groups, BAND_WORDS[line.band], amount(line.score, 1),
        amount(line.before, 1), amount(line.change, 1), line.band_before, *drivers, line.open_cases, line.action,
    )  # fmt: skip


def _distribution(found: RiskReport) -> Iterator[tuple[Cell, ...]]:
    for dimension in ("", *DIMENSIONS):
        for group in found.by[dimension]:
            n = LEFT_OUT if group.n is None else group.n
            for cell in group.cells:
                told = LEFT_OUT if cell.number is None else cell.number
                yield (dimension, group.name, n, cell.label, told, amount(cell.share, 1))
            if group.n is None:
                yield (dimension, group.name, n, "", LEFT_OUT, None)


def _matrix(found: RiskReport) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Return last year's bands by this year's: the columns, and a row for each band of last year."""
    order = [*(BAND_WORDS[name] for name in BANDS)]
    groups = sorted(found.by[BEFORE], key=lambda group: order.index(group.name) if group.name in order else len(order))
    return ("last year", "members", *(cell.label for cell in found.all.cells)), [_transition(each) for each in groups]


def _transition(group: Group) -> tuple[Cell, ...]:
    if group.n is None:
        return (group.name, LEFT_OUT, *[LEFT_OUT] * len(BANDS))
    return (group.name, group.n, *(LEFT_OUT if cell.number is None else cell.number for cell in group.cells))


def _blocks(found: RiskReport) -> Iterator[Block]:
    yield Heading("Bands")
    if not found.everybody:
        yield Paragraph("Nobody is asked yet.")
        return
    yield Bars("Everybody who had to answer", [_bar(cell.label, cell.number, cell.share) for cell in found.all.cells],
               top=100)  # fmt: skip
    for name in DIMENSIONS:
        if len(found.by[name]) > 1:
            yield _grid(name, [_transition(group) for group in found.by[name]], found)
    columns, rows = _matrix(found)
    yield Heading("From last year to this year")
    yield Paragraph("Each row is a band of last year; the columns say where its members are now.", "small")
    yield Grid([Column(columns[0].capitalize()), *(Column(each.capitalize(), "right") for each in columns[1:])],
               [[str(cell) for cell in row] for row in rows])  # fmt: skip
    if not found.shared:
        yield Heading("Members, the gravest first")
        yield _members(found.lines)


def _bar(label: str, number: int | None, share: float | None) -> Bar:
    return Bar(label, share, LEFT_OUT if number is None else f"{number:,} ({amount_words(share or 0, digits=0)} %)")


def _grid(name: str, rows: Sequence[tuple[Cell, ...]], found: RiskReport) -> Grid:
    columns = [Column(name.capitalize()), Column("Members", "right")]
    columns += [Column(cell.label, "right") for cell in found.all.cells]
    return Grid(columns, [[str(cell) for cell in row] for row in rows], caption=f"By {name}")


def _members(lines: Sequence[RiskLine]) -> Grid:
    columns = [Column("Member"), Column("Band"), Column("Score", "right"), Column("Change", "right"),
               Column("What pushes it up"), Column("Open cases", "right"), Column("Action")]  # fmt: skip
    rows = [
        (line.member, BAND_WORDS[line.band], _number(line.score), _signed(line.change), "; ".join(line.drivers),
         str(line.open_cases), line.action)
        for line in lines
    ]  # fmt: skip
    return Grid(columns, rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.1f}"
