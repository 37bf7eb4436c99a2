"""The drawings of a campaign, with their words: the bar of its members, and the response curve."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cases.campaigning.counts import Counts, percent
from cases.campaigning.curve import Curve, Point
from cases.campaigning.page import CampaignPage
from web.charts import Mark, Part, Series, bar, line_chart, ticks
from web.wording import day_words


@dataclass(frozen=True)
class Drawing:
    """What the page of a campaign draws, and the same in numbers."""

    parts: list[Part]
    bar: Markup
    curve: Markup | None
    told: str
    table: list[Point]
    """Days of the curve for its table: those on which something changed, and today."""


def drawing(page: CampaignPage) -> Drawing:
    """Return the drawings of a campaign."""
    parts = parts_of(page.counts)
    told = told_of(page.counts, page.curve)
    chart = _curve(page.curve, told, page.kind == "signoff") if page.curve is not None else None
    table = _table(page.curve) if page.curve is not None else []
    return Drawing(parts, bar("Members", parts), chart, told, table)


def parts_of(counts: Counts) -> list[Part]:
    """Return the members of a campaign by what became of them; together they are everybody."""
    signs = counts.kind == "signoff"
    found = [
        Part("Signed, valid" if signs else "Complete", counts.complete, "complete"),
        Part("Signed, to be checked" if signs else "Answer in, being reviewed", counts.in_review, "in-review"),
        Part("Exempt", counts.exempt, "exempt"),
        Part("No signature, decided" if signs else "No answer, decided", counts.unanswered, "unanswered"),
        *([Part("Unreachable, decided", counts.not_reached, "unanswered")] if counts.not_reached else []),
        Part("Nobody to ask, or mail comes back" if signs else "Mail comes back", counts.unreachable, "unreachable"),
        Part("Outstanding", counts.outstanding, "outstanding"),
    ]
    return [*found, Part("No longer asked", counts.cancelled, "cancelled")] if counts.cancelled else found


def told_of(counts: Counts, curve: Curve | None) -> str:
    """Return where a campaign stands beside its plan, in a sentence."""
    if curve is None:
        return "The campaign has not been launched yet."
    done = "signed" if counts.kind == "signoff" else "answered"
    share = f" ({percent(counts.accounted, counts.eligible)})" if counts.accounted < counts.eligible else ""
    sentence = (
        f"{counts.responded:,} of {counts.eligible:,} have {done} and {counts.accounted:,} are accounted for{share}."
    )
    if not curve.behind:
        sentence += " That is what an even pace would have by now."
    else:
        word = "behind" if curve.behind > 0 else "ahead"
        sentence += (
            f" An even pace to the deadline would have {curve.points[-1].expected:,} by now:"
            f" it is {abs(curve.behind):,} {word}."
        )
    if curve.forecast is None or counts.accounted == counts.eligible:
        return sentence
    return f"{sentence} At the pace of the last days, {curve.forecast:,} will be accounted for by the deadline."


def _curve(curve: Curve, told: str, signs: bool) -> Markup:
    span = max((curve.deadline - curve.launch).days, 1)
    plan = [(0.0, 0.0), (float(span), float(curve.asked))]
    if curve.last_number > span:
        plan.append((float(curve.last_number), float(curve.asked)))
    series = [
        Series("Plan: an even pace to the deadline", "plan", plan),
        Series("Accounted for", "accounted", [(p.number, p.accounted) for p in curve.points]),
        Series("Signed" if signs else "Responded", "responded", [(p.number, p.responded) for p in curve.points]),
    ]
    marks = [Mark(m.number, f"{m.title}, {day_words(m.day)}", "past" if m.past else "coming") for m in curve.markers]
    marks.append(Mark(span, f"Deadline, {day_words(curve.deadline)}", "end"))
    names = [(float(day), f"Day {day}" if day else "Launch") for day in ticks(curve.last_number)]
    return line_chart(
        f"{'Signatures' if signs else 'Responses'} since the launch", told, series, x_end=curve.last_number,
        y_end=curve.asked, x_names=names, marks=marks, key="curve",
    )  # fmt: skip


def _table(curve: Curve) -> list[Point]:
    found, before = [], None
    for point in curve.points:
        numbers = (point.responded, point.accounted)
        if numbers != before or point is curve.points[-1]:
            found.append(point)
        before = numbers
    return found
