"""The ledger of daily and weekly work: once for each period, also after a crash and after a month away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from cases import ledger
from config.database import Engine, reading, transaction
from config.tables import Installation

LONDON = ZoneInfo("Europe/London")
MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NIGHTS = (ledger.CLOCKS, ledger.CHECKS)


def due(engine: Engine, now: datetime, zone: ZoneInfo = LONDON) -> dict[str, str]:
    with reading(engine) as conn:
        return dict(ledger.due_jobs(conn, now, zone))


def claimed(engine: Engine, now: datetime, job: str = ledger.CHECKS, period: str = "2026-03-02") -> bool:
    with transaction(engine) as conn:
        return ledger.claim(conn, job, period, now, timedelta(minutes=30))


def finished(engine: Engine, job: str, period: str, now: datetime = MONDAY_NOON) -> None:
    with transaction(engine) as conn:
        ledger.claim(conn, job, period, now, timedelta(minutes=30))
        ledger.finish(conn, job, period, now, {"ok": True})


def test_of_several_who_claim_a_job_at_once_one_gets_it(engine: Engine) -> None:
    with ThreadPoolExecutor(5) as pool:
        won = list(pool.map(lambda _: claimed(engine, MONDAY_NOON), range(5)))

    assert sorted(won) == [False] * 4 + [True]


def test_a_finished_job_is_never_given_again(engine: Engine) -> None:
    finished(engine, ledger.CHECKS, "2026-03-02")

    assert not claimed(engine, MONDAY_NOON + timedelta(days=400))


def test_a_job_that_crashed_is_given_again_but_not_at_once(engine: Engine) -> None:
    assert claimed(engine, MONDAY_NOON)
    assert not claimed(engine, MONDAY_NOON + timedelta(minutes=29))
    assert claimed(engine, MONDAY_NOON + timedelta(minutes=30))
    assert not claimed(engine, MONDAY_NOON + timedelta(minutes=31))


def test_of_several_who_take_over_a_crashed_job_one_gets_it(engine: Engine) -> None:
    claimed(engine, MONDAY_NOON)
    later = MONDAY_NOON + timedelta(hours=1)

    with ThreadPoolExecutor(5) as pool:
        won = list(pool.map(lambda _: claimed(engine, later), range(5)))

    assert sorted(won) == [False] * 4 + [True]


def test_a_crashed_job_is_told_apart_from_a_running_one(engine: Engine) -> None:
    claimed(engine, MONDAY_NOON)

    with reading(engine) as conn:
        assert ledger.unfinished(conn, MONDAY_NOON + timedelta(minutes=5)) == []
        assert ledger.unfinished(conn, MONDAY_NOON + timedelta(hours=1)) == [(ledger.CHECKS, "2026-03-02", 1)]


def test_the_night_belongs_to_its_date_from_half_past_two(engine: Engine) -> None:
    before, after = (datetime(2026, 3, 4, 2, minute, tzinfo=UTC) for minute in (29, 30))

    assert {due(engine, before)[job] for job in NIGHTS} == {"2026-03-03"}
    assert {due(engine, after)[job] for job in NIGHTS} == {"2026-03-04"}


def test_the_digest_belongs_to_its_week_from_monday_half_past_seven(engine: Engine) -> None:
    before, after = (datetime(2026, 3, 2, 7, minute, tzinfo=UTC) for minute in (29, 30))

    assert due(engine, before)[ledger.DIGEST] == "2026-W09"
    assert due(engine, after)[ledger.DIGEST] == "2026-W10"
    assert due(engine, after + timedelta(days=6, hours=23))[ledger.DIGEST] == "2026-W10"


@pytest.mark.parametrize(
    ("now", "week"),
    [
        (datetime(2027, 1, 1, 12, 0, tzinfo=UTC), "2026-W53"),
        (datetime(2027, 1, 4, 12, 0, tzinfo=UTC), "2027-W01"),
    ],
)
def test_a_week_at_the_turn_of_the_year_has_one_name(engine: Engine, now: datetime, week: str) -> None:
    assert due(engine, now)[ledger.DIGEST] == week


def test_after_a_month_away_each_job_is_caught_up_once(engine: Engine) -> None:
    for job in NIGHTS:
        finished(engine, job, "2026-03-02")
    finished(engine, ledger.DIGEST, "2026-W10")
    back = MONDAY_NOON + timedelta(days=31)

    missed = due(engine, back)
    for job, period in missed.items():
        finished(engine, job, period, back)

    assert missed == {ledger.CLOCKS: "2026-04-02", ledger.CHECKS: "2026-04-02", ledger.DIGEST: "2026-W14"}
    assert due(engine, back + timedelta(minutes=10)) == {}


def test_clocks_are_put_right_before_they_are_checked(engine: Engine) -> None:
    assert list(due(engine, MONDAY_NOON)) == [ledger.CLOCKS, ledger.CHECKS, ledger.DIGEST]


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_no_night_is_lost_or_doubled_when_the_clocks_change(engine: Engine, zone: str) -> None:
    start = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
    rhythm = ledger.NIGHT
    instants = [rhythm.latest(start + timedelta(minutes=10 * n), ZoneInfo(zone)) for n in range(365 * 144)]

    nights = list(dict.fromkeys(rhythm.period(instant) for instant in instants))

    assert nights == sorted(nights)
    assert len(nights) == 366  # the one that was already over, and one for each day of the year
    assert instants == sorted(instants)


def test_what_fell_due_before_the_installation_was_made_is_nobodys_to_do(engine: Engine) -> None:
    row = {"id": 1, "kind": "sandbox", "time_zone": "Europe/London", "created_at": MONDAY_NOON}
    with transaction(engine) as conn:
        conn.execute(insert(Installation), row)

    assert due(engine, MONDAY_NOON + timedelta(hours=2)) == {}
    assert set(due(engine, MONDAY_NOON + timedelta(hours=20))) == set(NIGHTS)


def test_before_the_first_sweep_there_is_no_heartbeat(engine: Engine) -> None:
    with reading(engine) as conn:
        assert ledger.last_sweep_at(conn) is None
