"""A campaign rehearsed at the desk: asked for with a form, shown day by day, with every mail to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import Response

from cases.errors import BadInput
from cases.rehearsing.asked import MAILS_A_PAGE, Asked, ask, asked, mails_of
from cases.rehearsing.rehearsal import MAY_REHEARSE
from cases.rehearsing.values import MODEL, NOBODY, Forecast, ForecastDay, Reached, Wish
from state_machines.values import STAFF as STAFF_ROLES
from web.access import staff
from web.charts import Band, Mark, Series, for_any_screen, line_chart, ticks
from web.desk_page import Desk, DeskPage
from web.posted import Form, number_of
from web.routing import Pages
from web.wording import day_words

pages = Pages(may=staff(*STAFF_ROLES.intersection(MAY_REHEARSE)))
_MOST_LINES = 100
"""So many lines of what lands on whom, and of what is not sent, are shown; the counts are of all."""
_SECONDS = "3"
"""So often the page of a rehearsal that still runs is loaded anew."""


@dataclass(frozen=True)
class Picture:
    """The expected curve as a drawing, as a sentence and as a table."""

    chart: Markup
    told: str
    table: Sequence[ForecastDay]


@pages.get("/campaigns/{ref}/rehearsal", statements=14)
def rehearsal(desk: Desk, ref: str, n: str = "") -> Response:
    """The newest rehearsal of the viewer, or the one with a number, and the form for another."""
    return _page(desk, ref, number_of(n))


def _page(desk: DeskPage, ref: str, number: int | None, *, wish: Wish | None = None, error: str = "") -> Response:
    row, mine = asked(desk.env, ref, number, actor=desk.actor, now=desk.now)
    found = mine.found if mine else None
    response = desk.page(
        "desk/campaign_rehearsal.html", title=f"Rehearsal: {row.subject}", ref=row.ref, campaign=row.subject, mine=mine,
        found=found, picture=picture_of(found.forecast) if found and found.forecast else None, most=_MOST_LINES,
        wish=wish or (mine.wish if mine else Wish()), error=error, closed=row.closed_at is not None,
        status=422 if error else 200,
    )  # fmt: skip
    if mine is not None and mine.running and not error:
        response.headers["refresh"] = _SECONDS
    return response


@pages.post("/campaigns/{ref}/rehearsal")
def begin(desk: Desk, posted: Form, ref: str) -> Response:
    """Rehearse a campaign: nothing of it is changed, and no mail leaves."""
    wish = Wish(MODEL if posted.text("answers") == MODEL else NOBODY)
    try:
        seed = posted.number("seed")
        wish = Wish(wish.answers, 1 if seed is None else abs(seed), posted.day("until"))
        number = ask(desk.env, ref, wish, actor=desk.actor, now=desk.now)
    except BadInput as bad:
        return _page(desk, ref, None, wish=wish, error=str(bad))
    return desk.see_other(f"/campaigns/{ref}/rehearsal?{urlencode({'n': number})}")


@pages.get("/campaigns/{ref}/rehearsal/mails", statements=14)
def mails(desk: Desk, ref: str, n: str = "", page: str = "1") -> Response:
    """The mails of a rehearsal, page by page, word for word."""
    number, place = number_of(n) or 0, max(1, number_of(page) or 1)
    row, mine, found = mails_of(desk.env, ref, number, place, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/campaign_rehearsal_mails.html", title=f"Mails of the rehearsal: {row.subject}", ref=row.ref, mine=mine,
        mails=found, page=place, first_number=(place - 1) * MAILS_A_PAGE + 1, first=_address(row.ref, mine, 1),
        previous=_address(row.ref, mine, place - 1), following=_address(row.ref, mine, place + 1),
    )  # fmt: skip


def _address(ref: str, mine: Asked, page: int) -> str | None:
    """The address of a page of mails; None where there is none."""
    if not 1 <= page <= mine.pages:
        return None
    return f"/campaigns/{ref}/rehearsal/mails?{urlencode({'n': mine.id, 'page': page})}"


# ------------------------------------------------------------------------------------------------------ the picture


def picture_of(forecast: Forecast) -> Picture:
    """Return the expected curve with its band, and the same in words and numbers."""
    told = told_of(forecast)
    days = forecast.days
    last = max(len(days) - 1, 1)
    everybody = [(0.0, float(forecast.asked)), (float(last), float(forecast.asked))]
    few = _few(last)

    def drawn(key: str, named: Sequence[int], *, narrow: bool) -> Markup:
        return line_chart(
            "Expected answers", told,
            [Series("Everybody who is asked", "plan", everybody),
             Series("Expected answers", "expected", [(float(n), float(day.median)) for n, day in enumerate(days)])],
            x_end=last, y_end=max(forecast.asked, 1), key=key, narrow=narrow,
            x_names=[(float(n), day_words(days[n].day) if n < len(days) else "") for n in named],
            bands=[Band("Four courses in five lie here", "expected",
                        [(float(n), float(day.low), float(day.high)) for n, day in enumerate(days)])],
            marks=[Mark((r.median - days[0].day).days, f"{r.percent} %, {day_words(r.median)}", "end")
                   for r in forecast.reached if r.median is not None],
        )  # fmt: skip

    chart = for_any_screen(
        drawn("expected", few, narrow=False), drawn("small-expected", [few[0], few[-1]], narrow=True)
    )
    return Picture(chart, told, _changes(days))


def _few(last: int) -> list[int]:
    """A few days for the axis: their names are long."""
    found = ticks(last)
    return found if len(found) <= 4 else [found[0], found[len(found) // 3], found[2 * len(found) // 3], found[-1]]


def told_of(forecast: Forecast) -> str:
    """Return the forecast in a sentence or two."""
    last = forecast.days[-1]
    told = (
        f"By {day_words(last.day)}, {last.median:,} of {forecast.asked:,} are expected to have answered; in four"
        f" courses of five between {last.low:,} and {last.high:,}."
    )
    for reached in forecast.reached:
        if reached.median is not None:
            told += f" {reached.percent} % have answered about {day_words(reached.median)}{_between(reached)}."
        else:
            told += f" {reached.percent} % are not expected by answers alone."
    return told


def _between(reached: Reached) -> str:
    """Between which days four courses in five get there."""
    if reached.early is None:
        return ""
    if reached.late is None:
        return f"; hardly before {day_words(reached.early)}, and perhaps later than this rehearsal looks"
    return f", most likely between {day_words(reached.early)} and {day_words(reached.late)}"


def _changes(days: Sequence[ForecastDay]) -> list[ForecastDay]:
    """The days on which the expected number changes, and the last."""
    found: list[ForecastDay] = []
    for day in days:
        if not found or day.median != found[-1].median:
            found.append(day)
    return found if found and found[-1] is days[-1] else [*found, days[-1]]
