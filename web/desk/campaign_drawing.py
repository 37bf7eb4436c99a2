"""The drawings of a campaign, with their words: whether it will make it, the bar of its members, the response curve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cases.campaigning.counts import Counts, percent
from cases.campaigning.curve import Curve, Point
from cases.campaigning.page import CampaignPage
from web.charts import MOST_TICKS, Mark, Part, Series, bar, for_any_screen, line_chart, ticks
from web.naming import plural
from web.wording import day_words

FEW_TICKS = 3
"""On a phone there is room for so many words below the axis."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a campaign will make it, at a glance."""

    badge: str
    """Beside an even pace; empty where there is nothing to say."""
    tone: str
    time: str
    """How long there is."""
    outlook: str


@dataclass(frozen=True)
class Drawing:
    """What the page of a campaign draws, and the same in numbers."""

    parts: list[tuple[Part, str]]
    """Each with what narrows the list of members to it."""
    bar: Markup
    curve: Markup | None
    verdict: Verdict
    table: list[Point]
    """Days of the curve for its table: those on which something changed, and today."""


def drawing(page: CampaignPage, today: date) -> Drawing:
    """Return the drawings of a campaign."""
    parts = parts_of(page.counts)
    told = told_of(page.counts, page.curve)
    chart = _curve(page.curve, told, page.kind == "signoff") if page.curve is not None else None
    table = _table(page.curve) if page.curve is not None else []
    return Drawing(parts, bar("Members", [part for part, _ in parts]), chart, verdict_of(page, today), table)


def parts_of(counts: Counts) -> list[tuple[Part, str]]:
    """Return the members of a campaign by what became of them, each with how the list of members calls it.

    Together they are everybody.
    """
    signs = counts.kind == "signoff"
    reached = "Unreachable, decided"
    found = [
        (Part("Signed, valid" if signs else "Complete", counts.complete, "complete"),
         "state=valid" if signs else "state=complete"),
        (Part("Signed, to be checked" if signs else "Answer in, being reviewed", counts.in_review, "in-review"),
         "state=in_review"),
        (Part("Exempt", counts.exempt, "exempt"), "state=exempt"),
        (Part("No signature, decided" if signs else "No answer, decided", counts.unanswered, "unanswered"),
         "state=failed"),
        *([(Part(reached, counts.not_reached, "unanswered"), "state=not_reached")] if counts.not_reached else []),
        (Part("Nobody to ask, or mail comes back" if signs else "Mail comes back", counts.unreachable, "unreachable"),
         "bounced=yes"),
        (Part("Outstanding", counts.outstanding, "outstanding"), "state=outstanding"),
    ]  # fmt: skip
    if counts.cancelled:
        found.append((Part("No longer asked", counts.cancelled, "cancelled"), "state=cancelled"))
    return found


def verdict_of(page: CampaignPage, today: date) -> Verdict:
    """Return whether a campaign is where it should be, how long there is, and where its pace leads."""
    counts, curve = page.counts, page.curve
    if not page.open:
        return Verdict("", "", "", "")
    if curve is None:
        return Verdict("", "", until("launch", page.launch, today), "")
    badge, tone = _pace(curve) if counts.accounted < counts.eligible else ("Everybody is accounted for", "good")
    return Verdict(badge, tone, until("deadline", page.deadline, today), _outlook(counts, curve))


def until(what: str, day: date, today: date) -> str:
    """Return how far away a day of a campaign is, in a sentence."""
    days = (day - today).days
    if days < 0:
        return f"The {what} was {plural(-days, 'day')} ago."
    return f"The {what} is {'today' if not days else 'tomorrow' if days == 1 else f'in {days} days'}."


def _pace(curve: Curve) -> tuple[str, str]:
    if curve.behind > 0:
        return f"{curve.behind:,} behind an even pace", "warn"
    return (f"{-curve.behind:,} ahead of an even pace" if curve.behind else "As far as an even pace"), "good"


def _outlook(counts: Counts, curve: Curve) -> str:
    left = counts.eligible - counts.settled
    if curve.forecast is None or counts.accounted == counts.eligible:
        return f"{plural(left, 'member')} {'is' if left == 1 else 'are'} neither complete nor exempt." if left else ""
    if curve.forecast >= curve.asked:
        return "At the pace of the last days, everybody will be accounted for by then."
    return (
        f"At the pace of the last days, {curve.forecast:,} of {curve.asked:,} will be accounted for by then:"
        f" {curve.asked - curve.forecast:,} short."
    )


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

    def drawn(key: str, most: int, *, narrow: bool) -> Markup:
        names = [(float(day), f"Day {day}" if day else "Launch") for day in ticks(curve.last_number, most)]
        return line_chart(
            f"{'Signatures' if signs else 'Responses'} since the launch", told, series, x_end=curve.last_number,
            y_end=curve.asked, x_names=names, marks=marks, key=key, narrow=narrow,
        )  # fmt: skip

    return for_any_screen(drawn("curve", MOST_TICKS, narrow=False), drawn("small-curve", FEW_TICKS, narrow=True))


def _table(curve: Curve) -> list[Point]:
    found, before = [], None
    for point in curve.points:
        numbers = (point.responded, point.accounted)
        if numbers != before or point is curve.points[-1]:
            found.append(point)
        before = numbers
    return found
