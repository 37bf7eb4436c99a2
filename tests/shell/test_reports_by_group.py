"""The tables of complaints and cancellations, from events that a test can count itself."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from reports import following
from reports.cancellations import GONE, KEPT, cancellations
from reports.complaints import complaints
from reports.definitions import cancellations_in_words, complaints_in_words
from reports.months import Months, months_until
from reports.table import Table
from state_machines.calendars import Calendar

Q2 = (datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 6, 30, 23, tzinfo=UTC))


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00+00:00")


class Story:
    """Cases as the record tells them: each a list of what happened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calendar = Calendar()
        self.cases: list[list[Any]] = []
        self.months: Months | None = None
        monkeypatch.setattr(following, "histories", self._histories)

    def _histories(self, _conn: Any, end: datetime, process: str, _among: Any, now: datetime) -> Iterator[Any]:
        for events in self.cases:
            if known := [event for event in events if event.at < end and event.at <= now]:
                yield process, known

    def case(self, *moves: tuple[str, str, dict[str, Any]], guarded: bool = False) -> str:
        ref = f"XX-{len(self.cases) + 1}"
        first = at(moves[0][0])
        self.cases.append([
            SimpleNamespace(ref=ref, at=at(day), received_at=first, target=to, details={"data": data}, guarded=guarded)
            for day, to, data in moves
        ])  # fmt: skip
        return ref

    def table(self, table_of: Any, now: str = "2026-07-05") -> Table:
        self.months = months_until(Q2[1], self.calendar, at(now))
        found: Table = table_of(None, Q2, self.months, now=at(now))
        return found


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    return Story(monkeypatch)


def rows(found: Table) -> dict[Any, dict[str, Any]]:
    return {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.rows}


POOL = {"category": "Pool"}


def test_complaints_are_counted_by_what_they_are_about_and_lead_to_their_cases(story: Story) -> None:
    old = story.case(("2026-03-20", "received", POOL), ("2026-04-09", "stage_1_responded", {"decision": "upheld"}),
                     ("2026-05-20", "closed", {"outcome": "upheld"}))  # fmt: skip
    new = story.case(("2026-04-02", "received", {"category": "pool "}), ("2026-04-05", "stage_1", {}),
                     ("2026-04-12", "stage_1_responded", {"decision": "not_upheld"}),
                     ("2026-04-20", "stage_2_requested", {"stage_2_requested_on": "2026-04-20"}))  # fmt: skip
    back = story.case(("2026-03-01", "received", {"category": "Cars"}), ("2026-03-05", "withdrawn", {}),
                      ("2026-05-01", "stage_1", {}))  # fmt: skip
    story.case(("2026-04-02", "received", POOL), ("2026-04-03", "closed", {"outcome": "duplicate"}))
    story.case(("2026-05-02", "received", POOL), guarded=True)
    story.case(("2026-07-01", "received", POOL))
    found = story.table(complaints)
    told = rows(found)
    assert list(told) == ["Pool", "Cars", "not told here", "all"]
    pool = told["Pool"]
    assert [pool[name] for name in found.columns[1:6]] == [1, 1, 0, 1, 1]
    assert (pool["answered"], pool["upheld"], pool["not upheld"], pool["upheld share"]) == (2, 1, 1, "50.0 %")
    assert (pool["stage 2 asked for"], pool["median days to answer"]) == (1, 15.0)
    assert (told["Cars"]["reopened"], told["Cars"]["open at end"]) == (1, 1)
    assert found.refs["Pool", "all", "closed"] == (old,)
    assert found.refs["all", "all", "stage 2 asked for"] == (new,)
    assert found.refs["Cars", "all", "reopened"] == (back,)
    assert found.notes == ("Open at the start + new + reopened - closed = open at the end: yes, in every row.",
                           "Left out: duplicate cases (1).")  # fmt: skip
    assert story.months is not None
    assert (story.months.firsts[0], story.months.firsts[-1]) == (date(2025, 7, 1), date(2026, 6, 1))
    assert (story.months.came[date(2026, 4, 1)], story.months.went[date(2026, 5, 1)]) == (1, 1)
    assert complaints_in_words(found)[0] == "2 complaints came in and 1 was closed; open at the end: 3."


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_complaints_the_table_adds_up(story: Story, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  a story, no secret
    for _ in range(25):
        days = sorted(dice.sample(range(1, 200), 5))
        dates = [date.fromordinal(date(2026, 1, 1).toordinal() + day).isoformat() for day in days]
        states = ["received", *(dice.choice(["stage_1", "closed", "stage_2", "withdrawn"]) for _ in days[1:])]
        story.case(*((day, state, {"category": dice.choice("ABC")}) for day, state in zip(dates, states, strict=True)))
    found = story.table(complaints)
    assert "yes, in every row" in found.notes[0]
    for (group, _, name), refs in found.refs.items():
        assert rows(found)[group][name] == len(refs)


def left(state: str, *between: str, reasons: Sequence[str] = (), offers: Sequence[Any] = ()) -> Any:
    states = [*between, state]
    asked = {"reasons": list(reasons), "offers": list(offers)}
    return [("2026-05-01", "requested", asked), *((f"2026-05-{n + 2:02}", name, {}) for n, name in enumerate(states))]


def test_who_asked_to_leave_is_counted_by_reason_and_by_what_became_of_them(story: Story) -> None:
    offered = [{"code": "freeze"}]
    saved = story.case(*left("saved", "offer_made", "offer_accepted", reasons=["cost", "lack_of_time"], offers=offered))
    gone = story.case(
        *left("cancelled", "offer_made", "notice_running", "end_confirmed", reasons=["cost"], offers=offered)
    )
    again = story.case(*left("save_failed", "offer_accepted", "saved", offers=offered))
    story.case(*left("revoked", "notice_running"))
    story.case(*left("notice_running"))
    story.case(*left("intent_closed", "intent"))
    story.case(("2026-03-01", "requested", {}), ("2026-05-09", "end_confirmed", {}))
    found = story.table(cancellations)
    told = rows(found)
    every = told["all"]
    assert [every[name] for name in ("asked to leave", "stay", "left", "saved, then left", "still open")] == [
        5, 2, 1, 1, 1,
    ]  # fmt: skip
    assert (every["offers made"], every["offers accepted"], every["save rate"]) == (3, 2, "66.7 %")
    assert every["share that stays"] == "50.0 %"
    assert (told["cost"]["asked to leave"], told["lack of time"]["stay"], told["not said"]["asked to leave"]) == (
        2,
        1,
        3,
    )
    assert found.refs["all", "all", "left"] == (gone,)
    assert found.refs["cost", "all", "offers accepted"] == (saved,)
    assert found.refs["all", "all", "saved, then left"] == (again,)
    assert "yes, in every row" in found.notes[0] and "not one yet: 1" in found.notes[2]
    assert story.months is not None and story.months.went[date(2026, 5, 1)] == 2
    assert cancellations_in_words(found)[0].startswith("5 members asked to leave: 2 stay, 1 left")
    story.case(*left("cancelled", reasons=["bereavement"]), guarded=True)
    told = rows(story.table(cancellations))
    assert "bereavement" not in told and told["not told here"]["left"] == 1


def test_where_nothing_happened_the_tables_say_so_and_divide_by_nothing(story: Story) -> None:
    assert complaints_in_words(story.table(complaints)) == ["There was no complaint in this period."]
    assert cancellations_in_words(story.table(cancellations)) == ["Nobody asked to leave in this period."]
    assert not KEPT & GONE


def test_months_end_with_the_present_one_where_the_period_goes_on(story: Story) -> None:
    story.table(complaints, now="2026-05-05")
    assert story.months is not None and story.months.firsts[-1] == date(2026, 5, 1)
