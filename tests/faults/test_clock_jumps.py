"""The machine's clock jumps, ahead and back: nothing fires twice or is lost, and nothing waits for the wrong time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from cases import commands, health, ledger
from cases.clock_put_right import put_right
from cases.delivering import deliver
from cases.gauges import gauges
from cases.promises import broken_promises
from cases.sweep import sweep_due
from config import clock
from config.clock import set_sandbox
from config.database import reading, transaction
from notifications import ledger as outbox
from tests.cast import MONDAY, Cast
from tests.deciding import a_finding
from tests.faults.kept import broken
from tests.pages.case_cast import ACKNOWLEDGED, a_complaint
from tests.pages.conftest import sign_in
from tests.post import Letterbox, letterbox
from tests.shell.test_sweep import complaints
from web import shell
from web.accounts import throttle
from web.app import create_app
from workflows.jobs import run_missing

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)


@dataclass
class Machine:
    """The clock of the machine, which shows what it is set to."""

    at: datetime = MONDAY


@pytest.fixture
def machine(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A clock to be set; the cast's organisation lives by it."""
    found = Machine()

    class Shown(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return found.at

    monkeypatch.setattr(clock, "datetime", Shown)
    with transaction(cast.env.engine) as conn:
        set_sandbox(conn, None)
    return found


LADDER = {"due_soon", "overdue", "manager", "senior"}


@pytest.mark.parametrize(
    ("begins", "jumps"),
    [
        (MONDAY, [HOUR, -HOUR, HOUR]),
        (MONDAY, [DAY, -DAY, DAY, -DAY]),
        (MONDAY, [6 * DAY, -DAY, -HOUR, DAY]),
        (MONDAY, [YEAR, -YEAR]),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), [HOUR, HOUR, -HOUR, HOUR]),
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), [HOUR, HOUR, -HOUR, HOUR]),
    ],
    ids=["an hour", "a day", "while it is due", "a year", "when summer time begins", "when summer time ends"],
)
def test_whatever_the_clock_does_between_two_sweeps_each_rung_fires_once_and_none_is_lost(
    cast: Cast, machine: Machine, begins: datetime, jumps: Sequence[timedelta]
) -> None:
    machine.at = begins
    complaints(cast, 2)
    ref = cast.scalar("SELECT min(ref) FROM cases")
    for jump in [timedelta(0), *jumps]:
        machine.at += jump
        sweep_due(cast.env)
        commands.note(cast.env, ref, f"At {machine.at:%H:%M}", actor=cast.actor("Mina"))
        sweep_due(cast.env)
    for _ in range(12):
        machine.at += 3 * DAY
        sweep_due(cast.env)
    fired = cast.rows(
        "SELECT case_id, reverse(split_part(reverse(occurrence), ':', 1)) AS rung FROM case_events "
        "WHERE occurrence IS NOT NULL"
    )
    assert max(Counter(fired).values()) == 1
    for case_id in {row.case_id for row in fired}:
        assert {row.rung for row in fired if row.case_id == case_id} >= LADDER
    assert broken(cast) == []


def test_a_pause_that_ends_before_it_began_takes_no_time_away(cast: Cast, machine: Machine) -> None:
    ref, mina = a_finding(cast), cast.actor("Mina")
    due = "SELECT deadline_at FROM cases WHERE ref = :ref"
    before = cast.scalar(due, ref=ref)
    machine.at += 3 * DAY
    commands.fire(cast.env, ref, "hold", payload={"reason": "A court decides first"}, actor=mina)
    machine.at -= 3 * DAY
    commands.fire(cast.env, ref, "resume", actor=mina)
    assert cast.scalar(due, ref=ref) == before


def test_a_heartbeat_from_a_time_to_come_hides_nowhere_that_sweeps_are_late(cast: Cast, machine: Machine) -> None:
    complaints(cast, 1)
    machine.at += DAY
    sweep_due(cast.env)
    assert _late(cast, machine) == (False,) * 5
    machine.at -= DAY
    assert _late(cast, machine) == (True,) * 5
    sweep_due(cast.env)
    assert _late(cast, machine) == (False,) * 5
    said = health.status(cast.env)["clock_set_back"]
    assert (said["at"], said["ahead_seconds"]) == (machine.at.isoformat(), DAY.total_seconds())
    assert put_right(cast.env) is None, "it is put right once"


def _late(cast: Cast, machine: Machine) -> tuple[bool, ...]:
    """Whether sweeps are late: for status, in the numbers, on each page, among the promises, for the supervisor."""
    with reading(cast.env.engine) as conn:
        warned = any(found.check == "no_sweep" for found in broken_promises(conn, cast.env, machine.at))
        swept, frame = ledger.last_sweep_at(conn), shell.facts(conn, machine.at)
    age = gauges(cast.env).swept_seconds_ago
    assert age is not None
    alive = swept is not None and swept >= machine.at - timedelta(minutes=10)
    return bool(health.status(cast.env)["sweep"]["late"]), age > 300, frame.sweep_is_late, warned, not alive


@pytest.mark.parametrize("ahead", [HOUR, DAY, YEAR])
def test_mail_that_was_touched_while_the_clock_was_ahead_leaves_when_it_is_right(
    cast: Cast, machine: Machine, ahead: timedelta
) -> None:
    refs = [a_complaint(cast, f"Member {n}", complainant_email=f"p{n}@example.org") for n in range(3)]
    machine.at += ahead
    sweep_due(cast.env)
    for ref in refs:
        commands.fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Mina"))
    last = cast.scalar("SELECT max(id) FROM messages")
    with transaction(cast.env.engine) as conn:  # one is in the hands of a delivery that dies, one was refused
        outbox.claim(conn, "a delivery that died", limit=1, lease=timedelta(minutes=10), now=machine.at)
        outbox.record_retry(conn, last, "450 later", attempts=1, at=machine.at + timedelta(minutes=1))

    machine.at += timedelta(minutes=5) - ahead
    sweep_due(cast.env)
    with letterbox() as box:
        _send(cast, box)
        machine.at += timedelta(minutes=11)
        _send(cast, box)
        _send(cast, box)
    assert Counter(cast.rows("SELECT state FROM messages WHERE kind = 'complaint_acknowledged'")) == {("sent",): 3}
    assert max(Counter(str(mail["Message-ID"]) for _, mail in box.mails).values()) == 1
    assert not [found for found in broken(cast) if not found.startswith("sent_too_late")]


def test_a_clock_that_stays_ahead_does_not_use_up_the_attempts_of_mail_that_waits(cast: Cast, machine: Machine) -> None:
    ref = a_complaint(cast, complainant_email="p@example.org")
    commands.fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Mina"))
    message = cast.scalar("SELECT max(id) FROM messages")
    waits = []
    for _ in range(3):
        with transaction(cast.env.engine) as conn:
            outbox.record_retry(conn, message, "450 later", attempts=1, at=machine.at + timedelta(minutes=30))
        machine.at += DAY
        sweep_due(cast.env)  # a machine whose clock is wrong
        machine.at += timedelta(minutes=1) - DAY
        sweep_due(cast.env)
        waits.append(cast.scalar("SELECT not_before FROM messages WHERE id = :id", id=message) > machine.at)
    assert waits == [False, True, True]


def _send(cast: Cast, box: Letterbox) -> None:
    smtp = SecretStr(box.url)
    deliver(replace(cast.env, settings=cast.env.settings.model_copy(update={"smtp_url": smtp})))


def test_a_lease_from_a_time_to_come_is_cut_and_not_ended(cast: Cast, machine: Machine) -> None:
    ref = a_complaint(cast)
    commands.fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Mina"))
    machine.at += DAY
    sweep_due(cast.env)
    with transaction(cast.env.engine) as conn:
        mine = outbox.claim(conn, "at work", limit=10, lease=timedelta(minutes=10), now=machine.at)
    machine.at -= DAY
    sweep_due(cast.env)
    with transaction(cast.env.engine) as conn:
        assert outbox.claim(conn, "another", limit=10, lease=timedelta(minutes=10), now=machine.at) == []
        kept = outbox.keep(conn, "at work", [message.id for message in mine], lease=timedelta(minutes=10))
    assert len(kept) == len(mine) > 0


def test_daily_work_that_was_done_before_its_day_is_done_again_on_it(cast: Cast, machine: Machine) -> None:
    jobs = (ledger.CLOCKS, ledger.CHECKS)

    def done() -> int:
        sweep_due(cast.env)
        return len(run_missing(cast.env, jobs))

    machine.at = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
    assert (done(), done()) == (2, 0)
    machine.at += DAY
    assert done() == 2, "by a clock that is a day ahead, it is tomorrow"
    machine.at -= DAY
    assert (done(), done()) == (0, 0), "today was done already"
    machine.at += DAY
    assert (done(), done()) == (2, 0), "tomorrow has come"
    machine.at += DAY
    with transaction(cast.env.engine) as conn:  # a job dies while the clock is ahead
        assert ledger.claim(conn, ledger.CLOCKS, "2026-03-04", machine.at) is False
        conn.execute(text("UPDATE job_runs SET finished_at = NULL, started_at = :at WHERE period = '2026-03-04'"),
                     {"at": machine.at})  # fmt: skip
    sweep_due(cast.env)
    machine.at -= DAY
    assert done() == 0, "it may still be at work"
    machine.at += timedelta(minutes=31)
    assert done() == 2, "and now it is taken to have died"


def test_whoever_signed_in_or_failed_to_while_the_clock_was_ahead_is_neither_let_in_for_long_nor_kept_out(
    cast: Cast, machine: Machine
) -> None:
    key = throttle.account("amara@muster.example", free=0)
    machine.at += YEAR
    app = create_app(cast.env)
    amara = sign_in(app, cast, "Amara")
    with transaction(cast.env.engine) as conn:
        throttle.presume_failure(conn, [key], now=machine.at)
    assert amara.http.get("/queue", follow_redirects=False).status_code == 200
    machine.at -= YEAR
    assert amara.http.get("/queue", follow_redirects=False).status_code == 303, "she signs in again"
    with transaction(cast.env.engine) as conn:
        assert throttle.waiting(conn, [key], now=machine.at) is None
        throttle.presume_failure(conn, [key], now=machine.at)
    assert sign_in(app, cast, "Amara").http.get("/queue").status_code == 200
