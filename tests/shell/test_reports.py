"""The quarterly monitoring table and the table of deadlines, from the events of cases."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cases import commands, opening, sweep
from cases.environment import world
from cases.locking import lock_ref
from cases.store import apply
from cases.writing import Change
from config.database import reading, transaction
from reports import monitoring, table
from reports.cases import COLUMNS, Run, clock_runs, sla
from reports.monitoring import quarter, quarterly
from reports.table import Table, percent, quantile, to_csv, to_markdown
from state_machines.process import Clock, Process, State, Transition
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Outcome, Step
from tests.cast import MONDAY, Cast

Q2 = (datetime(2026, 3, 31, 23, 0, tzinfo=UTC), datetime(2026, 6, 30, 23, 0, tzinfo=UTC))
FINDING = {
    "severity": "major", "source": "desk research", "source_date": "2026-02-20", "allegation": "Claims without licence",
    "no_evidence": "known to all",
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T10:00:00+00:00")


@dataclass
class Story:
    """Monitoring cases whose moves are written without asking the process, so that a test can say what it counts."""

    cast: Cast

    def logged(self, when: str, criterion: str) -> str:
        with transaction(self.cast.env.engine) as conn:
            here = world(conn, self.cast.env, at(when))
            wish = opening.Wish(process_named("monitoring"), "Finding", {**FINDING, "criterion": criterion})
            (found,) = opening.decided(conn, [wish], here, actor=SYSTEM)
            assert not isinstance(found, tuple), found[1]
            apply(conn, [found], here)
            return found.outcome.after.ref

    def moved(self, ref: str, when: str, state: str, **facts: Any) -> None:
        with transaction(self.cast.env.engine) as conn:
            here = world(conn, self.cast.env, at(when))
            locked = lock_ref(conn, ref)
            assert locked is not None
            target = process_named("monitoring").state(state)
            after = replace(locked.case, state=state, data={**locked.case.data, **facts}, clocks={})
            step = Step("transition", "moved", locked.case.state, state, SYSTEM, at(when), None, {"data": facts})
            outcome = Outcome(locked.case, after, (step,), target.owner, target.final)
            apply(conn, [Change(outcome, 1, locked.owner_id, locked.coordinator_id, locked)], here)

    def warned(self, when: str, criterion: str = "communication", logged: str | None = None) -> str:
        ref = self.logged(logged or when, criterion)
        self.moved(ref, when, "warned", stage="warning", case_opened_at=when)
        return ref

    def table(self, public: bool = False, span: tuple[datetime, datetime] | None = None) -> Table:
        start, end = span or quarter(2026, 2, self.cast.env.calendar)
        with reading(self.cast.env.engine) as conn:
            return quarterly(conn, start, end, public=public, now=at("2026-07-03"))


@pytest.fixture
def story(cast: Cast) -> Story:
    return Story(cast)


def cells(found: Table) -> dict[tuple[Any, Any], dict[str, Any]]:
    return {(row[0], row[1]): dict(zip(found.columns, row, strict=True)) for row in found.rows}


def test_a_quarter_begins_and_ends_at_local_midnight(cast: Cast) -> None:
    start, end = quarter(2026, 2, cast.env.calendar)
    assert (start.astimezone(UTC), end.astimezone(UTC)) == Q2
    assert quarter(2026, 4, cast.env.calendar)[1] == datetime(2027, 1, 1, tzinfo=UTC)


def test_each_case_is_counted_where_it_was_and_where_it_went(story: Story) -> None:
    stays = story.warned("2026-03-01")
    closed = story.warned("2026-03-02")
    story.moved(closed, "2026-05-01", "closed", outcome="RESOLVED")
    worse = story.warned("2026-03-03")
    story.moved(worse, "2026-04-20", "suspended", stage="suspension")
    new = story.warned("2026-05-10", logged="2026-04-10")
    brief = story.warned("2026-05-11")
    story.moved(brief, "2026-05-20", "follow_up", outcome="RESOLVED")
    nothing = story.logged("2026-05-12", "fees")
    story.moved(nothing, "2026-05-13", "closed", outcome="NO_CASE")
    later = story.warned("2026-07-01")
    found = story.table()
    row = cells(found)["communication", "warning"]
    assert [row[name] for name in found.columns[2:8]] == [3, 2, 0, 1, 2, 2]
    assert row["median age in days"] == (121 + 51) / 2
    assert (row["incidents logged"], row["reconciles"]) == (2, "yes")
    suspended = cells(found)["communication", "suspension"]
    assert (suspended["moved in"], suspended["open at end"], suspended["reconciles"]) == (1, 1, "yes")
    assert cells(found)["fees", "warning"]["incidents logged"] == 1
    assert cells(found)["fees", "warning"]["open at end"] == 0
    assert found.refs["communication", "warning", "open at end"] == (stays, new)
    assert found.refs["communication", "warning", "closed in quarter"] == (closed, brief)
    assert found.refs["communication", "warning", "moved out"] == (worse,)
    assert found.refs["fees", "all", "incidents logged"] == (nothing,)
    assert later not in str(found.refs)
    assert found.title == "Monitoring activity, 01 April 2026 to 30 June 2026"
    assert "yes, in every row" in found.notes[0]
    assert found.notes[1] == "Control, counted a second way: 3 open at the end, the same."


def test_what_happens_later_does_not_change_the_table_of_a_past_quarter(story: Story) -> None:
    ref = story.warned("2026-05-10")
    before = story.table()
    story.moved(ref, "2026-07-02", "closed", stage="warning", outcome="RESOLVED")
    story.logged("2026-07-02", "communication")
    assert story.table() == before


def test_a_case_that_is_opened_again_counts_again(story: Story) -> None:
    ref = story.warned("2026-03-01")
    story.moved(ref, "2026-04-05", "closed", outcome="RESOLVED")
    story.moved(ref, "2026-05-05", "assessment", stage="none", case_opened_at=None, outcome=None)
    row = cells(story.table())["communication", "warning"]
    assert (row["closed in quarter"], row["open at end"]) == (1, 0), "found again, and not decided yet"
    story.moved(ref, "2026-06-05", "warned", stage="warning", case_opened_at="2026-06-05")
    row = cells(story.table())["communication", "warning"]
    assert (row["opened"], row["closed in quarter"], row["open at end"], row["reconciles"]) == (1, 1, 1, "yes")
    assert row["median age in days"] == 25


def test_an_expulsion_is_counted_once_and_its_case_stays_open_while_it_can_be_appealed(story: Story) -> None:
    ref = story.warned("2026-03-01")
    story.moved(ref, "2026-04-05", "suspended", stage="suspension")
    story.moved(ref, "2026-05-05", "terminated", stage="expulsion")
    found = cells(story.table())
    assert found["communication", "warning"]["expelled"] == 1
    assert found["communication", "expulsion"]["open at end"] == 1
    story.moved(ref, "2026-06-05", "expelled", outcome="TERMINATED")
    found = cells(story.table())
    assert (found["communication", "expulsion"]["closed in quarter"], found["all", "all"]["open at end"]) == (1, 0)


def test_the_public_copy_has_no_small_numbers_no_references_and_no_sum_that_tells_them(story: Story) -> None:
    for number in range(4):
        story.warned(f"2026-04-0{number + 1}", "communication")
    story.warned("2026-04-05", "fees")
    public = story.table(public=True)
    found = cells(public)
    assert found["communication", "warning"]["open"] == 4
    assert found["fees", "warning"]["open"] == "<3"
    assert found["fees", "warning"]["median age in days"] is None, "the age of one case is the case"
    assert found["all", "all"]["open"] == "*", "4 + one hidden number would tell the number"
    assert found["communication", "suspension"]["open"] == 0
    assert public.refs == {}
    text = to_csv(public) + to_markdown(public)
    assert "MC-" not in text and "open at start" not in text
    assert cells(story.table())["fees", "warning"]["open at end"] == 1, "inside nothing is hidden"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([4, 5, 0], 9), ([4, 1], "*"), ([4, 2], "*"), ([4, 1, 1], "*"), ([4, 2, 2], "*"), ([4, 1, 2], 7), ([1, 2], 3),
        ([1], "*"), ([], 0), ([0, 0], 0),
    ],
)  # fmt: skip
def test_a_sum_is_told_only_when_several_hidden_numbers_could_make_it(values: Sequence[int], shown: Any) -> None:
    assert monitoring._sum(values) == shown


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_a_quarter_the_table_reconciles_and_the_control_agrees(story: Story, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  a story, no secret
    states = [("warned", "warning"), ("suspended", "suspension"), ("appeal", "suspension"), ("closed", "warning"),
              ("terminated", "expulsion"), ("follow_up", "warning"), ("expelled", "expulsion")]  # fmt: skip
    for _ in range(12):
        days = sorted(dice.sample(range(180), 5))
        dates = [(at("2026-02-01") + timedelta(days=day)).date().isoformat() for day in days]
        ref = story.logged(dates[0], dice.choice(["fees", "communication", "sourcing"]))
        for when in dates[1 : dice.randint(1, 5)]:
            state, stage = dice.choice(states)
            story.moved(ref, when, state, stage=stage, case_opened_at=dates[1])
    found = story.table()
    assert all(row[-1] in ("yes", "") for row in found.rows)
    assert "yes, in every row" in found.notes[0] and "the same" in found.notes[1]
    for (criterion, stage, name), refs in found.refs.items():
        if stage != "all":
            assert cells(found)[criterion, stage][name] == len(refs)
    spans = [quarter(2026, n, story.cast.env.calendar) for n in (1, 2, 3)]
    ends = [cells(story.table(span=span))["all", "all"] for span in spans]
    assert [e["open at end"] for e in ends[:2]] == [e["open at start"] for e in ends[1:]]


def test_a_figure_that_does_not_add_up_is_shown_and_not_hidden() -> None:
    found = monitoring.Activity(*Q2)
    found.open_end["fees", "warning"].append("MC-1")
    assert not found.reconciles(("fees", "warning"))
    assert "NO" in monitoring._reconciliation(found, 0, public=False)[0]
    assert "NOT the same: 1" in monitoring._reconciliation(found, 0, public=False)[1]


# --- deadlines


def a_complaint(cast: Cast, subject: str) -> str:
    return commands.open_one(
        cast.env, "complaint", member=None, subject=subject, payload={"category": "service"}, actor=cast.actor("Amara")
    ).after.ref


def march(cast: Cast, clock: str = "acknowledge", now: datetime | None = None) -> tuple[dict[str, Any], Table]:
    with reading(cast.env.engine) as conn:
        found = sla(conn, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), cast.env.calendar,
                    process="complaint", now=now or cast.env_now)  # fmt: skip
    return cells_of(found)["complaint", clock], found


def cells_of(found: Table) -> dict[tuple[Any, Any], dict[str, Any]]:
    return {(row[0], row[1]): dict(zip(COLUMNS, row, strict=True)) for row in found.rows}


def acknowledge(cast: Cast, ref: str) -> None:
    commands.fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Amara"))


ACKNOWLEDGED = {"issues": [{"category": "service"}], "understanding": "The pool was cold", "adjustments_asked": True}


def test_where_nothing_was_due_there_is_no_percentage(cast: Cast) -> None:
    row, found = march(cast)
    assert (row["n due"], row["met"], row["median working days"]) == (0, "n/a", None)
    clocks = {clock.name for state in process_named("complaint").states for clock in state.clocks}
    assert {name for _, name in cells_of(found)} == clocks, "clocks without a case are shown as well"


def test_met_late_and_still_open_clocks_are_told_apart(cast: Cast) -> None:
    refs = [a_complaint(cast, f"No {number}") for number in range(4)]
    cast.go_to(MONDAY + timedelta(days=2))
    acknowledge(cast, refs[0])
    cast.go_to(MONDAY + timedelta(days=7, hours=14.9))
    acknowledge(cast, refs[1])
    cast.go_to(MONDAY + timedelta(days=9))
    sweep.sweep_due(cast.env)
    acknowledge(cast, refs[2])
    row, found = march(cast)
    assert (row["n due"], row["n met"], row["met"], row["still open"], row["n ended"]) == (4, 2, "50.0 %", 1, 3)
    assert (row["median working days"], row["median days"]) == (5, 7.6)
    assert found.refs["complaint", "acknowledge", "not met"] == tuple(refs[2:])
    assert march(cast, now=MONDAY + timedelta(days=8))[0]["n met"] == 2, "as known then"
    row, early = march(cast, now=MONDAY + timedelta(days=3))
    assert (row["n due"], row["met"]) == (0, "n/a"), "what is not due yet is neither met nor missed"
    assert "deadlines still to come" in early.notes[0]


ERRAND = Process(
    "errand", 1, "ER", "Errand", "asked",
    states=[
        State("asked", clocks=(Clock("answer", "standard", expires="give_up", anchor="received"),)),
        State("waiting", clocks=(Clock("answer", "standard", paused=True), Clock("reply", "standard"))),
        State("done", final=True),
    ],
    transitions=[
        Transition("ask_back", "asked", "waiting", by=()), Transition("go_on", "waiting", "asked", by=()),
        Transition("more_time", "asked", None, by=(), extends="answer"), Transition("finish", "asked", "done", by=()),
        Transition("give_up", "asked", "done", by=()), Transition("hold", "*", None, by=(), holds=True),
        Transition("resume", "*", None, by=(), resumes=True),
    ],
)  # fmt: skip
"""A process small enough to see how its clock must be counted."""


def event(day: int, trigger: str, target: str = "asked", *, source: str = "asked", role: str = "coordinator",
          due: dict[str, int] | None = None, ended: Sequence[str] = ()) -> Any:  # fmt: skip
    details: dict[str, Any] = {"clocks_due": {n: on(d).isoformat() for n, d in (due or {}).items()}}
    details["clocks_ended"] = {name: {} for name in ended}
    return SimpleNamespace(
        ref="ER-1", received_at=on(0), at=on(day), trigger=trigger, source=source, target=target, role=role,
        kind="opened" if trigger == "open" else "transition", details=details,
    )  # fmt: skip


def on(day: int) -> datetime:
    """Noon, so many days after Monday the 2nd of March."""
    return MONDAY + timedelta(days=day, hours=3)


def runs_of(*events: Any) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for name, run in clock_runs(ERRAND, events):
        found.setdefault(name, []).append(run)
    return found


def test_time_on_hold_is_told_and_does_not_count(cast: Cast) -> None:
    (run,) = runs_of(
        event(1, "open", due={"answer": 7}), event(2, "hold", due={"hold": 30}),
        event(4, "resume", due={"answer": 9}, ended=["hold"]), event(9, "finish", "done", ended=["answer"]),
    )["answer"]  # fmt: skip
    assert (run.started, run.ended, run.met, run.extensions) == (on(0), on(9), True, 0)
    assert run.paused_for(on(30)) == timedelta(days=2)
    assert run.working_days(cast.env.calendar) == 5, "seven working days, two of them on hold"


def test_a_clock_that_waits_for_somebody_else_stands_still(cast: Cast) -> None:
    found = runs_of(
        event(0, "open", due={"answer": 7}), event(1, "ask_back", "waiting", due={"reply": 8}),
        event(3, "go_on", source="waiting", due={"answer": 9}, ended=["reply"]), event(4, "hold", due={"hold": 34}),
    )  # fmt: skip
    assert found["answer"][0].paused_for(on(5)) == timedelta(days=3)
    assert found["answer"][0].paused and found["answer"][0].ended is None
    assert found["reply"][0].met
    assert "hold" not in found


def test_an_extension_is_counted_apart_from_being_in_time() -> None:
    (run,) = runs_of(
        event(0, "open", due={"answer": 7}), event(2, "more_time", due={"answer": 14}),
        event(3, "more_time", due={"answer": 21}), event(8, "finish", "done", ended=["answer"]),
    )["answer"]  # fmt: skip
    assert (run.extensions, run.due, run.strict_due) == (2, on(21), on(7))
    assert (run.met, run.met_strictly) == (True, False)


def test_a_clock_that_runs_out_by_itself_is_not_met_and_told_as_such() -> None:
    (gone,) = runs_of(
        event(0, "open", due={"answer": 7}), event(8, "give_up", "done", role="system", ended=["answer"]),
    )["answer"]  # fmt: skip
    (done,) = runs_of(event(0, "open", due={"answer": 7}), event(7, "finish", "done", ended=["answer"]))["answer"]
    assert (gone.ran_out, gone.met) == (True, False)
    assert (done.ran_out, done.met) == (False, True)


def test_a_clock_that_starts_again_is_a_second_run() -> None:
    found = runs_of(
        event(0, "open", due={"answer": 7}), event(3, "more_time", due={"answer": 10}, ended=["answer"]),
        event(11, "finish", "done", ended=["answer"]),
    )  # fmt: skip
    assert [(run.due, run.met) for run in found["answer"]] == [(on(7), True), (on(10), False)]


def test_clocks_that_stand_still_and_duplicates_are_left_out_and_counted(cast: Cast) -> None:
    a_complaint(cast, "Counts")
    story = Story(cast)
    duplicate = story.logged("2026-03-02", "fees")
    story.moved(duplicate, "2026-03-03", "closed", outcome="DUPLICATE")
    with reading(cast.env.engine) as conn:
        found = sla(conn, at("2026-03-01"), at("2026-04-01"), cast.env.calendar, now=at("2026-03-20"))
    assert found.notes == ("Left out: duplicate cases (1); holds.",)
    assert cells_of(found)["monitoring", "triage"]["n due"] == 0
    assert cells_of(found)["complaint", "acknowledge"]["n due"] == 1


# --- tables


def test_no_share_of_nothing_and_one_decimal_otherwise() -> None:
    assert [percent(0, 0), percent(0, 3), percent(1, 3), percent(2, 3), percent(3, 3)] == [
        "n/a", "0.0 %", "33.3 %", "66.7 %", "100.0 %"
    ]  # fmt: skip


def test_median_and_ninetieth_percentile() -> None:
    assert quantile([], 0.5) is None
    assert (quantile([7], 0.5), quantile([3, 1, 2], 0.5), quantile([1, 2, 3, 4], 0.5)) == (7, 2, 2.5)
    assert quantile(range(1, 11), 0.9) == 9.1


def test_a_table_is_written_with_its_head_and_no_cell_is_a_formula() -> None:
    found = Table("T", MONDAY, ("a", "b"), (("=1+1", 2), ("x|y", None)), ("A note.",))
    lines = to_csv(found).splitlines()
    assert lines[:3] == ["# T", "# As at 2026-03-02T09:00:00+00:00. Rows: 2.", "# A note."]
    assert list(csv.reader(lines[3:])) == [["a", "b"], ["'=1+1", "2"], ["x|y", ""]]
    assert "| x\\|y |  |" in table.to_markdown(found)
