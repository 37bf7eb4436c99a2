"""The circuit breaker: too much that nobody has foreseen waits for a manager, once, and everything else goes on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event, text

from cases import audit, commands, health, opening, store
from cases.breaker import deciding, holding
from cases.breaker.reading import Held, held_back, held_page
from cases.delivering import deliver
from cases.environment import Environment, world
from cases.errors import BadInput, NotAllowed
from cases.gauges import gauges
from cases.nightly import recalculate_clocks
from cases.promises import broken_promises
from cases.sweep import sweep_due
from config.clock import monotonic
from config.database import Connection, reading, transaction
from state_machines.policy import BreakerLimits, Policy
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Actor
from tests.cast import MONDAY, Cast
from tests.core.monitoring_story import FINDING
from tests.post import letterbox

DUE = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
"""Five working days after Monday an acknowledgement is due."""
YEAR = timedelta(days=365)
LEAVING = {"channel": "email"}


def policy_with(policy: Policy, **numbers: Any) -> Policy:
    """Return a policy whose breaker has these numbers."""
    return policy.model_copy(update={"breaker": policy.breaker.model_copy(update=numbers)})


@pytest.fixture
def env(cast: Cast) -> Environment:
    """The organisation, which asks from four late cases of a process on, and from six in time."""
    return replace(cast.env, policy=policy_with(cast.env.policy, late=3, on_time=5, on_time_percent=0))


def opened(
    cast: Cast, count: int, process: str = "complaint", *, received: datetime | None = None, actor: Actor = SYSTEM,
    payload: dict[str, Any] | None = None, team: str = "North",
) -> list[int]:  # fmt: skip
    """Open so many cases and return their ids."""
    members = cast.members(*(f"Member {n}" for n in range(count)), team=team)
    with transaction(cast.env.engine) as conn:
        here = world(conn, cast.env)
        values = payload or {"category": "service"}
        wishes = [
            opening.Wish(process_named(process), f"Case {n}", values, member, team, None, received)
            for n, member in enumerate(members)
        ]
        found = [c for c in opening.decided(conn, wishes, here, actor=actor) if not isinstance(c, tuple)]
        assert len(found) == count
        store.apply(conn, found, here)
        return [c.outcome.after.id for c in found]


def waiting(env: Environment) -> Sequence[Held]:
    """What is held back now."""
    with reading(env.engine) as conn:
        return held_back(conn)


def fired(cast: Cast) -> int:
    """How many rungs have fired."""
    return int(cast.scalar("SELECT count(*) FROM case_events WHERE occurrence IS NOT NULL AND kind = 'transition'"))


def late(cast: Cast, count: int = 4) -> datetime:
    """Open complaints and let the machine stand still until their first deadline was two days ago."""
    opened(cast, count)
    return cast.go_to(DUE + timedelta(days=2))


def in_time(cast: Cast) -> datetime:
    """Let time pass until the first case is due, and return that instant."""
    return cast.go_to(cast.scalar("SELECT min(due_at) FROM cases"))


def mails(cast: Cast, kind: str = "work_held_back") -> list[str]:
    """To whom messages of a kind were asked for."""
    return [row.audience for row in cast.rows("SELECT audience FROM messages WHERE kind = :k ORDER BY id", k=kind)]


def who(cast: Cast, name: str) -> str:
    return cast.actor(name).person


def test_what_is_below_the_limit_fires_without_a_question(cast: Cast, env: Environment) -> None:
    late(cast, 3)
    assert sweep_due(env).due == 3
    assert waiting(env) == [] and fired(cast) == 3


def test_more_late_cases_than_the_limit_wait_and_every_manager_hears_of_it_once(cast: Cast, env: Environment) -> None:
    now = late(cast)
    for minute in range(3):
        report = sweep_due(env, now=now + timedelta(minutes=minute))
        assert (report.due, report.fired) == (0, 0)
    [held] = waiting(env)
    assert (held.process, held.cases, held.waiting) == ("complaint", 4, 4)
    assert held.facts.why[0]["what"] == "late" and held.facts.oldest < now - timedelta(hours=4)
    assert held.facts.messages == {"case_overdue": 4, "case_escalated": 4}, "to the owner and the manager of each"
    assert held.facts.escalations == 4
    assert fired(cast) == 0
    assert sorted(mails(cast)) == sorted([who(cast, "Mina"), who(cast, "Max")])
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'case_overdue'") == 0


def test_the_notice_leaves_at_once_also_at_night_and_nothing_else_does(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    with letterbox() as box:
        deliver(replace(env, settings=env.settings.model_copy(update={"smtp_url": SecretStr(box.url)})), now=now)
    assert box.to("mina@muster.example") == box.to("max@muster.example") == ["4 cases are held back (Complaint)"]
    assert len(box.mails) == 2


def test_what_comes_in_time_in_a_campaign_is_never_held_back_however_much_it_is(cast: Cast, env: Environment) -> None:
    ids = opened(cast, 8)
    campaign = opened(cast, 1)[0]
    with transaction(env.engine) as conn:
        conn.exec_driver_sql(f"UPDATE cases SET parent_id = {campaign} WHERE id = ANY(ARRAY{ids})")
    now = in_time(cast)
    assert sweep_due(env, now=now).due == 9, "eight of a campaign, one outside"
    assert waiting(env) == []


def test_very_many_cases_at_once_outside_campaigns_are_held_back_even_in_time(cast: Cast, env: Environment) -> None:
    opened(cast, 6)
    now = in_time(cast)
    assert sweep_due(env, now=now).due == 0
    [held] = waiting(env)
    assert [each["what"] for each in held.facts.why] == ["on_time"]
    half = replace(env, policy=policy_with(env.policy, on_time_percent=100))
    deciding.approve(env, held.number, "As planned", actor=cast.actor("Mina"), now=now)
    assert sweep_due(half, now=now).due == 6


def test_a_share_of_the_open_cases_may_come_in_time_where_it_is_more_than_the_number(
    cast: Cast, env: Environment
) -> None:
    opened(cast, 6)
    now = in_time(cast)
    assert sweep_due(replace(env, policy=policy_with(env.policy, on_time_percent=100)), now=now).due == 6


def test_a_clock_that_is_a_year_ahead_is_caught_and_setting_it_right_ends_it_without_a_decision(
    cast: Cast, env: Environment
) -> None:
    opened(cast, 5)
    [other] = opened(cast, 1, "monitoring", payload=FINDING)
    sweep_due(env, now=MONDAY + YEAR)
    assert [each.process for each in waiting(env)] == ["complaint"]
    mail = "SELECT DISTINCT case_id FROM messages WHERE kind IN ('case_overdue', 'case_escalated', 'case_due_soon')"
    assert [row.case_id for row in cast.rows(mail)] == [other], "one case of another process goes on"
    sweep_due(env, now=MONDAY + timedelta(minutes=5))
    assert waiting(env) == [] and cast.scalar("SELECT state FROM sweep_holds") == "over"
    before = fired(cast)
    assert sweep_due(env, now=in_time(cast)).due == fired(cast) - before == 5, "each in its time, without a question"


def test_what_people_have_moved_or_what_was_put_right_is_held_no_more(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    rules = env.policy.model_dump(mode="json")
    rules["processes"]["complaint"]["clocks"]["acknowledge"] |= {"allow": "WD(20)", "profiles": {}}
    mended = replace(env, policy=Policy.model_validate(rules))
    assert recalculate_clocks(mended, now=now) == 4
    sweep_due(mended)
    assert waiting(env) == []
    assert cast.scalar("SELECT state FROM sweep_holds") == "over"
    assert fired(cast) == 0


def test_sweeps_at_once_make_one_hold_and_none_of_them_does_what_is_held_back(cast: Cast, env: Environment) -> None:
    now = late(cast, 30)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: sweep_due(env, batch=4, now=now), range(4)))
    assert sum(report.due for report in reports) == 0
    assert [held.cases for held in waiting(env)] == [30]
    assert len(mails(cast)) == 2, "each manager hears of it once"


def test_what_is_let_go_fires_each_once_and_nobody_is_asked_again(cast: Cast, env: Environment) -> None:
    now = late(cast, 30)
    sweep_due(env)
    [held] = waiting(env)
    assert deciding.approve(env, held.number, "We were offline", seen=30, actor=cast.actor("Mina"), now=now) == 30
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: sweep_due(env, batch=7, now=now), range(3)))
    assert sum(report.due for report in reports) == 30
    twice = "SELECT count(*) FROM (SELECT 1 FROM messages WHERE case_id IS NOT NULL GROUP BY key HAVING count(*) > 1) t"
    assert cast.scalar(twice) == 0
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'case_overdue'") == 30
    assert waiting(env) == []
    opened(cast, 3, received=MONDAY)
    assert sweep_due(env, now=now + timedelta(minutes=1)).due == 3, "what was let go does not count against the others"


def test_what_is_declined_is_passed_over_on_the_record_and_later_rungs_still_come(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    [held] = waiting(env)
    assert deciding.decline(env, held.number, "Answered by phone", actor=cast.actor("Mina"), now=now) == 4
    events = cast.rows("SELECT kind, actor, details FROM case_events WHERE occurrence IS NOT NULL")
    assert {(row.kind, row.actor, row.details["why"]) for row in events} == {
        ("passed_over", who(cast, "Mina"), "Answered by phone")
    }
    sweep_due(env)
    assert fired(cast) == 0 and waiting(env) == []
    assert cast.scalar("SELECT count(*) FROM cases WHERE due_at IS NULL") == 0, "every case has something to come"
    with reading(env.engine) as conn:
        assert [f for f in broken_promises(conn, env, now) if not f.warning] == []
        assert audit.verify(conn).ok


def test_what_moves_a_case_on_cannot_be_left_out_and_waits_until_the_day_that_was_named(
    cast: Cast, env: Environment
) -> None:
    opened(cast, 4, "cancellation", payload=LEAVING)
    now = cast.go_to(MONDAY + timedelta(days=120))
    sweep_due(env)
    [held] = waiting(env)
    assert held.facts.moves
    mina = cast.actor("Mina")
    for day, words in ((None, "name the day"), (now.date(), "after today"), (date(2027, 1, 1), "60 days")):
        with pytest.raises(BadInput, match=words):
            deciding.decline(env, held.number, "Not now", until=day, actor=mina, now=now)
    until = now.date() + timedelta(days=10)
    assert deciding.decline(env, held.number, "Not now", until=until, actor=mina, now=now) == 4
    before = cast.rows("SELECT DISTINCT state FROM cases")
    sweep_due(env, now=now + timedelta(days=9))
    assert cast.rows("SELECT DISTINCT state FROM cases") == before
    recalculate_clocks(env, now=now + timedelta(days=9))
    sweep_due(env, now=datetime.combine(until, MONDAY.time(), UTC))
    assert cast.rows("SELECT DISTINCT state FROM cases") != before, "on that day it goes on, in time"
    with reading(env.engine) as conn:
        assert audit.verify(conn).ok


def test_a_decision_that_was_interrupted_is_carried_out_by_the_next_sweep(
    cast: Cast, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = late(cast)
    sweep_due(env)
    [held] = waiting(env)
    monkeypatch.setattr(deciding, "carry_on", lambda *given, **named: 0)
    deciding.decline(env, held.number, "Answered by phone", actor=cast.actor("Mina"), now=now)
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'passed_over'") == 0
    assert sweep_due(env).due == 0
    assert cast.scalar("SELECT count(DISTINCT case_id) FROM case_events WHERE kind = 'passed_over'") == 4


def test_what_comes_drop_by_drop_within_an_hour_is_added_up(cast: Cast, env: Environment) -> None:
    now = late(cast, 2)
    assert sweep_due(env, now=now).due == 2
    opened(cast, 2, received=MONDAY)
    assert sweep_due(env, now=now + timedelta(minutes=10)).due == 0
    assert [held.cases for held in waiting(env)] == [2]


def test_after_the_hour_it_is_counted_anew(cast: Cast, env: Environment) -> None:
    now = late(cast, 2)
    sweep_due(env, now=now)
    opened(cast, 2, received=MONDAY)
    assert sweep_due(env, now=now + timedelta(minutes=61)).due == 2
    assert waiting(env) == []


def test_more_of_the_same_comes_to_what_waits_already_and_nobody_is_told_twice(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    opened(cast, 5, received=MONDAY)
    sweep_due(env, now=now + timedelta(minutes=1))
    [held] = waiting(env)
    assert (held.cases, held.waiting, held.facts.messages["case_overdue"]) == (9, 9, 9)
    assert len(mails(cast)) == 2
    with pytest.raises(deciding.HasGrown):
        deciding.approve(env, held.number, "Go on", seen=4, actor=cast.actor("Mina"), now=now)


def test_a_case_that_somebody_moves_meanwhile_is_held_no_more_and_the_others_stay(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    ref = cast.scalar("SELECT min(ref) FROM cases")
    commands.fire(env, ref, "withdraw", payload={}, actor=cast.actor("Amara"), now=now)
    assert [held.waiting for held in waiting(env)] == [3]
    sweep_due(env, now=now + timedelta(days=1))
    assert [held.waiting for held in waiting(env)] == [3]


def test_who_entered_the_cases_does_not_decide_about_them(cast: Cast, env: Environment) -> None:
    now = cast.go_to(DUE + timedelta(days=2))
    mina = cast.actor("Mina")
    opened(cast, 5, received=MONDAY, actor=mina)
    sweep_due(env)
    [held] = waiting(env)
    assert mails(cast) == [who(cast, "Max")]
    with pytest.raises(NotAllowed, match="somebody else decides"):
        deciding.approve(env, held.number, "Mine", actor=mina, now=now)
    assert deciding.approve(env, held.number, "Looked at it", actor=cast.actor("Max"), now=now) == 5


def test_who_entered_what_came_to_it_later_does_not_decide_either(cast: Cast, env: Environment) -> None:
    now = cast.go_to(DUE + timedelta(days=2))
    people = {name: cast.actor(name) for name in ("Mina", "Max", "Sol")}
    for name in ("Mina", "Max"):
        opened(cast, 5, received=MONDAY, actor=people[name])
        sweep_due(env)
    [held] = waiting(env)
    for name in ("Mina", "Max"):
        assert not held_page(env, held.number, actor=people[name], now=now).may_decide
        with pytest.raises(NotAllowed, match="somebody else decides"):
            deciding.approve(env, held.number, "Mine", actor=people[name], now=now)
    assert held_page(env, held.number, actor=people["Sol"], now=now).may_decide
    assert deciding.approve(env, held.number, "Looked at it", actor=people["Sol"], now=now) == 10


@pytest.mark.parametrize("name", ["Amara", "Bo", "Cara", "Ada"])
def test_only_managers_and_seniors_decide_and_look(cast: Cast, env: Environment, name: str) -> None:
    now = late(cast)
    sweep_due(env)
    for ask in (deciding.approve, deciding.decline):
        with pytest.raises(NotAllowed, match="Only managers"):
            ask(env, 1, "Because", actor=cast.actor(name), now=now)
    with pytest.raises(NotAllowed, match="Only managers"):
        held_page(env, 1, actor=cast.actor(name), now=now)


def test_two_managers_at_once_make_one_decision(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    people = [cast.actor("Mina"), cast.actor("Max"), cast.actor("Sol")]

    def decide(actor: Actor) -> str:
        try:
            deciding.approve(env, 1, f"By {actor.name}", actor=actor, now=now)
        except deciding.AlreadyDecided:
            return "late"
        return "first"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(decide, people)) == ["first", "late", "late"]


def test_seniors_hear_of_it_once_when_nobody_decides(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    for hours in (1, 4, 5):
        sweep_due(env, now=now + timedelta(hours=hours))
    assert mails(cast)[2:] == [who(cast, "Sol")]


def test_what_is_held_back_is_no_late_sweep_and_no_broken_promise_and_shows_wherever_one_looks(
    cast: Cast, env: Environment
) -> None:
    now = late(cast)
    sweep_due(env)
    with reading(env.engine) as conn:
        found = {f.check: f for f in broken_promises(conn, env, now)}
    assert "swept_late" not in found and not {f.check for f in found.values() if not f.warning}
    assert "4 cases of the process complaint" in found["held_back"].why
    told = health.status(env)
    assert (told["due"], told["held_back"]["cases"], told["held_back"]["since"]) == (0, 4, now.isoformat())
    numbers = gauges(env)
    assert (numbers.due, numbers.oldest_due_seconds, numbers.held) == (0, 0.0, 4)


def test_a_sweep_with_nothing_unusual_asks_one_statement_more(cast: Cast, env: Environment) -> None:
    opened(cast, 2)
    seen: list[str] = []
    event.listen(env.engine, "before_cursor_execute", lambda *given: seen.append(str(given[2])))
    holding.hold_back(env, MONDAY)
    assert len([s for s in seen if not s.startswith(("BEGIN", "COMMIT", "SET"))]) == 1, seen


def test_what_becomes_late_while_a_sweep_is_at_work_does_not_slip_through(
    cast: Cast, env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, weighed = late(cast, 0), holding.hold_back

    def and_then_somebody_enters_old_cases(env: Environment, now: datetime) -> None:
        weighed(env, now)
        monkeypatch.undo()
        opened(cast, 4, received=MONDAY)

    monkeypatch.setattr(holding, "hold_back", and_then_somebody_enters_old_cases)
    report = sweep_due(env, now=now)
    assert (report.due, report.more, fired(cast)) == (0, True, 0)
    sweep_due(env, now=now)
    assert ([held.waiting for held in waiting(env)], fired(cast)) == ([4], 0)


def test_what_is_added_to_a_hold_while_another_sweep_ends_it_stays_held(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    [held] = waiting(env)
    away = "UPDATE held_cases SET due_at = due_at - interval '1 day'"
    back = "UPDATE held_cases SET due_at = due_at + interval '1 day'"
    with transaction(cast.env.engine) as conn:
        conn.execute(text(away))  # nothing of it is due any more ...
    with ThreadPoolExecutor(1) as pool:
        with transaction(cast.env.engine) as conn:
            conn.execute(text("SELECT id FROM sweep_holds FOR UPDATE"))
            ending = pool.submit(holding._end, env, held.number, now)
            until_somebody_waits(conn)
            conn.execute(text(back))  # ... and now it is again
        ending.result()
    assert [each.waiting for each in waiting(env)] == [4]


def until_somebody_waits(conn: Connection) -> None:
    """Return when another connection of this database waits for a lock; fail when none ever does."""
    locked = text("SELECT count(*) FROM pg_stat_activity "
                  "WHERE datname = current_database() AND wait_event_type = 'Lock'")  # fmt: skip
    until = monotonic() + 30
    while not conn.execute(locked).scalar():
        assert monotonic() < until, "nobody waits"
        conn.execute(text("SELECT pg_stat_clear_snapshot()"))


def test_what_waits_is_looked_after_where_the_breaker_was_switched_off_meanwhile(cast: Cast, env: Environment) -> None:
    now = late(cast)
    sweep_due(env)
    off = replace(env, policy=policy_with(env.policy, enabled=False))
    sweep_due(off, now=now + timedelta(hours=5))
    assert mails(cast).count(who(cast, "Sol")) == 1


def test_a_policy_can_switch_it_off_and_give_a_process_numbers_of_its_own(cast: Cast, env: Environment) -> None:
    now = late(cast)
    own = policy_with(env.policy, processes={"complaint": BreakerLimits(late=4)})
    assert sweep_due(replace(env, policy=own), now=now).due == 4
    opened(cast, 9, received=MONDAY)
    assert sweep_due(replace(env, policy=policy_with(env.policy, enabled=False)), now=now).due == 9


def test_a_clock_that_always_asks_waits_for_a_manager_even_with_one_case(cast: Cast, env: Environment) -> None:
    rules = env.policy.model_dump(mode="json")
    rules["processes"]["complaint"]["clocks"]["acknowledge"]["late"] = "ask"
    asking = replace(env, policy=Policy.model_validate(rules))
    now = late(cast, 1)
    sweep_due(asking)
    [held] = waiting(asking)
    assert [each["what"] for each in held.facts.why] == ["asked"]
    deciding.approve(asking, held.number, "Go on", actor=cast.actor("Mina"), now=now)
    assert sweep_due(asking).due == 1
