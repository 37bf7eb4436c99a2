"""Complaints on real input: 2,067 published complaints about 177 companies, imported and lived with for a month."""

from __future__ import annotations

import csv
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cases import audit, importing
from cases.delivering import deliver
from cases.digest import send_digests
from cases.importing import CaseImportReport
from cases.lists.narrowing import Narrow
from cases.lists.worklist import queue
from cases.nightly import run_checks
from cases.sweep import sweep_due
from config.database import Engine, make_engine, reading
from notifications.values import DeliveryReport
from tests.cast import Cast, asking_nobody, cast_of
from tests.conftest import TEMPLATE, _administer
from tests.post import Letterbox, letterbox

LONDON = ZoneInfo("Europe/London")
IMPORTED = datetime(2023, 9, 11, 9, tzinfo=LONDON)
"""A Monday. The newest complaint was received on the Friday before."""
MONTH = [IMPORTED.date() + timedelta(days=n) for n in range(31)]
FILE, SMALL = "complaints-cfpb.csv", "complaints-cfpb-small.csv"
COLUMNS = {
    "received": "Date received", "company": "Company", "category": "Product", "subject": "Issue",
    "narrative": "Consumer complaint narrative", "channel": "Submitted via", "ref": "Complaint ID",
}  # fmt: skip
STAFF = ("amara", "bo", "mina", "sol")
NOTICES = 20
BROKEN_LINE = 3302
"""The physical line of the row that is cut off; narratives run over many lines, so it is far from row 2,068."""


def bring_in(cast: Cast, path: Path, **how: Any) -> CaseImportReport:
    """Import complaints."""
    return importing.import_cases(cast.env, "complaint", path, COLUMNS, **how)


def tables(cast: Cast) -> dict[str, int]:
    """How much there is of everything an import could write."""
    names = ("members", "cases", "case_events", "event_personal", "messages", "case_tasks", "case_links")
    return {name: cast.scalar(f"SELECT count(*) FROM {name}") for name in names}


"""On one worker: the month is lived through once."""


@pytest.fixture
def monday(cast: Cast) -> Cast:
    """The organisation on the morning of the import."""
    cast.go_to(IMPORTED)
    return cast


# --- importing -------------------------------------------------------------------------------------------------------


def test_2067_complaints_about_177_companies_come_in_and_the_broken_row_is_refused_by_its_line(
    monday: Cast, shared_data: Path
) -> None:
    report = bring_in(monday, shared_data / FILE, create_members=True).to_dict()
    assert (report["created"], report["members_created"], report["unchanged"]) == (2067, 177, 0)
    [refused] = report["refused"]
    assert refused["line"] == BROKEN_LINE
    assert "cut off" in refused["why"]
    assert monday.scalar("SELECT count(DISTINCT member_id) FROM cases WHERE process = 'complaint'") == 177
    days = Counter(row.day for row in _received(monday))
    with (shared_data / FILE).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Complaint ID"]]
    assert days == Counter(row["Date received"] for row in rows)
    told = monday.scalar("SELECT count(*) FROM event_personal WHERE data ->> 'description' <> ''")
    assert told == sum(bool(row["Consumer complaint narrative"]) for row in rows)
    again = bring_in(monday, shared_data / FILE, create_members=True).to_dict()
    assert (again["created"], again["members_created"], again["unchanged"]) == (0, 0, 2067)


def test_no_words_of_a_complainant_stand_where_they_could_not_be_erased(monday: Cast, shared_data: Path) -> None:
    bring_in(monday, shared_data / FILE, create_members=True)
    [words] = monday.rows(
        "SELECT data ->> 'description' AS text FROM event_personal ORDER BY length(data::text) DESC LIMIT 1"
    )
    piece = words.text[20:80]
    for table in ("cases", "case_events", "messages", "case_tasks"):
        assert monday.scalar(f"SELECT count(*) FROM {table} t WHERE t::text LIKE :piece", piece=f"%{piece}%") == 0, (
            table
        )


def test_without_leave_to_make_members_every_row_is_refused_naming_its_company(monday: Cast, shared_data: Path) -> None:
    report = bring_in(monday, shared_data / FILE).to_dict()
    assert (report["created"], len(report["refused"])) == (0, 2068)
    assert sum("--create-members" in refused["why"] for refused in report["refused"]) == 2067
    first = report["refused"][0]
    assert first["line"] == 2
    assert "EQUIFAX, INC." in first["why"]
    assert tables(monday)["cases"] == 0


def test_a_dry_run_says_what_would_happen_and_writes_nothing(monday: Cast, shared_data: Path) -> None:
    before = tables(monday)
    report = bring_in(monday, shared_data / FILE, create_members=True, dry_run=True).to_dict()
    assert (report["created"], report["members_created"], report["dry_run"]) == (2067, 177, True)
    assert "nothing was written" in report["remarks"][0]
    assert tables(monday) == before


def test_the_file_in_other_spelling_and_without_companies_comes_in_as_280_complaints_about_nobody(
    monday: Cast, shared_data: Path
) -> None:
    mapping = {"received": "date_received", "subject": "issue", "category": "product"}
    report = importing.import_cases(monday.env, "complaint", shared_data / SMALL, mapping)
    assert (report.created, report.refused) == (280, [])
    assert monday.scalar("SELECT count(*) FROM cases WHERE member_id IS NULL AND owner_id IS NOT NULL") == 280
    assert monday.scalar("SELECT count(*) FROM cases WHERE process = 'monitoring'") == 0, "nobody, so no trend either"


def test_a_signal_is_raised_for_companies_with_three_complaints_in_twelve_months_and_only_for_them(
    monday: Cast, shared_data: Path
) -> None:
    bring_in(monday, shared_data / FILE, create_members=True)
    with (shared_data / FILE).open(newline="") as file:
        recent = Counter(row["Company"] for row in csv.DictReader(file) if row["Date received"] >= "2022-09-11")
    expected = sorted(company for company, number in recent.items() if company and number >= 3)
    raised = monday.rows(
        "SELECT m.name FROM cases c JOIN members m ON m.id = c.member_id WHERE c.process = 'monitoring' ORDER BY m.name"
    )
    assert sorted(row.name for row in raised) == expected


# --- a month, in which nobody does anything ---------------------------------------------------------------------------


@dataclass
class Month:
    """What a month of sweeps and deliveries did to the imported complaints."""

    cast: Cast
    box: Letterbox
    fired: list[Any]
    mails: dict[date, Counter[str]]
    deliveries: dict[date, DeliveryReport]


@pytest.fixture(scope="module")
def month(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Month]:
    """The month after the import, lived through once for all tests that only look."""
    name = f"month_{uuid.uuid4().hex}"
    _administer(database_admin, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    engine = make_engine(database_admin.url.set(database=name).render_as_string(hide_password=False))
    try:
        with letterbox() as box:
            cast = cast_of(engine, tmp_path_factory.mktemp("month"), box.url)
            cast = replace(cast, env=asking_nobody(cast))  # two thousand old complaints at once: somebody has said yes
            cast.go_to(IMPORTED)
            bring_in(cast, shared_data / FILE, create_members=True)
            yield _lived(cast, box)
    finally:
        engine.dispose()
        _administer(database_admin, f"DROP DATABASE {name} WITH (FORCE)")


def _lived(cast: Cast, box: Letterbox) -> Month:
    mails, deliveries = {}, {}
    for day in MONTH:
        cast.go_to(datetime(day.year, day.month, day.day, 9, 30, tzinfo=LONDON))
        sweep_due(cast.env)
        before = len(box.mails)
        deliveries[day] = deliver(cast.env)
        mails[day] = Counter(address.split("@")[0] for address, _ in box.mails[before:])
    fired = cast.rows(
        "SELECT e.case_id, e.trigger, e.kind, e.target, (e.at AT TIME ZONE 'Europe/London')::date AS day, "
        "(c.received_at AT TIME ZONE 'Europe/London')::date AS received FROM case_events e "
        "JOIN cases c ON c.id = e.case_id WHERE c.process = 'complaint' AND e.occurrence IS NOT NULL "
        "ORDER BY e.case_id, e.seq"
    )
    return Month(cast, box, fired, mails, deliveries)


def test_nobody_is_acknowledged_by_the_passing_of_time(month: Month) -> None:
    states = month.cast.rows("SELECT DISTINCT state FROM cases WHERE process = 'complaint'")
    assert [row.state for row in states] == ["received"]
    assert month.cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'acknowledge'") == 0
    assert {address.split("@")[1] for address in month.box.addresses()} == {"muster.example"}, (
        "no member, no complainant"
    )


def test_every_unacknowledged_complaint_is_escalated_once_on_the_right_working_day(month: Month) -> None:
    """The days are worked out again here, by hand: from 2012 on the import itself is the first possible day."""
    fired: dict[str, dict[int, date]] = defaultdict(dict)
    for row in month.fired:
        if row.trigger != "still_overdue" and row.kind == "transition":
            assert row.case_id not in fired[row.trigger], f"{row.trigger} fired twice on {row.case_id}"
            fired[row.trigger][row.case_id] = row.day
    received = {row.id: row for row in _received(month.cast)}
    for trigger, more in (("overdue_act_now", None), ("escalate_to_manager", 3), ("escalate_to_senior", 10)):
        expected = {case: _day_of(row.date, more) for case, row in received.items()}
        assert fired[trigger] == {case: day for case, day in expected.items() if day <= MONTH[-1]}, trigger
    first = {received[case].date: day for case, day in fired["overdue_act_now"].items()}
    last_week = {f"2023-09-0{n}": first[date(2023, 9, n)].isoformat() for n in (4, 5, 6, 7, 8)}
    assert last_week == {
        "2023-09-04": "2023-09-12", "2023-09-05": "2023-09-13", "2023-09-06": "2023-09-14", "2023-09-07": "2023-09-15",
        "2023-09-08": "2023-09-16",
    }  # fmt: skip


def _day_of(received: date, working_days_late: int | None) -> date:
    """When a rung fires in daily sweeps at 09:30: the morning after the fifth working day, or so many after it."""
    due = _workdays_after(received, 5)
    rung = due + timedelta(days=1) if working_days_late is None else _workdays_after(due, working_days_late)
    return max(rung, IMPORTED.date())


def _workdays_after(day: date, count: int) -> date:
    """England in the summer and autumn of 2023 has one bank holiday; for earlier years the import decides anyway."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and day != date(2023, 8, 28)
    return day


def _received(cast: Cast) -> list[Any]:
    return cast.rows(
        "SELECT id, (received_at AT TIME ZONE 'Europe/London')::date AS date, "
        "(received_at AT TIME ZONE 'Europe/London')::date::text AS day FROM cases WHERE process = 'complaint'"
    )


def test_who_stays_late_is_written_down_once_a_week_and_not_oftener(month: Month) -> None:
    weeks: dict[int, list[date]] = defaultdict(list)
    for row in month.fired:
        if row.trigger == "still_overdue":
            weeks[row.case_id].append(row.day)
    assert weeks
    for case, days in weeks.items():
        apart = [(later - earlier).days for earlier, later in pairwise(days)]
        assert len(days) == len(set(days)), case
        assert all(gap == 7 for gap in apart[1:]), (case, days)


def test_nobody_is_buried_in_mail_and_what_is_left_out_says_where_to_look(month: Month) -> None:
    for day, mails in month.mails.items():
        assert set(mails) <= set(STAFF)
        assert all(number <= NOTICES for number in mails.values()), (day, mails)
    assert month.mails[IMPORTED.date()] == dict.fromkeys(STAFF, NOTICES)
    reason = f"more than {NOTICES} notices today; see your queue and the digest"
    assert month.deliveries[IMPORTED.date()].suppressed[reason] > 5000
    assert month.cast.scalar("SELECT count(*) FROM messages WHERE state = 'queued'") == 0, "nothing waits for weeks"
    assert month.cast.scalar("SELECT count(*) FROM messages WHERE state = 'failed'") == 0


def test_what_was_not_mailed_is_in_the_queue_and_in_the_digest(month: Month) -> None:
    cast = month.cast
    queues = [queue(cast.env, Narrow(), size=3000, actor=cast.actor(name)) for name in ("Amara", "Bo")]
    held = sum(len(each.lines) for each in queues)
    assert held == cast.scalar("SELECT count(*) FROM cases WHERE closed_at IS NULL")
    send_digests(cast.env, now=cast.env_now)
    before = len(month.box.mails)
    deliver(cast.env)
    digests = dict(month.box.mails[before:])
    assert {"mina@muster.example", "sol@muster.example"} <= set(digests)
    body = digests["mina@muster.example"].get_body(("plain",))
    assert body is not None
    assert f"and {held - 20} more" in body.get_content()


def test_the_record_of_a_month_is_whole_and_nothing_is_stuck(month: Month) -> None:
    with reading(month.cast.env.engine) as conn:
        assert audit.verify(conn).ok
    found = run_checks(month.cast.env, now=month.cast.env_now)
    assert found.ok, [finding for finding in found.findings if not finding.warning]
