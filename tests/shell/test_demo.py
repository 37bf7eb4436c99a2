"""The sample organisation: it is loaded through the real commands, keeps every promise, and looks lived in."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cases import audit, installation
from cases.demo import DOMAIN, HalfLoaded, KeepingTransport, NoSandbox, load_sample
from cases.environment import Environment
from cases.promises import broken_promises
from config.database import Engine, reading
from members.staff_commands import add_staff
from notifications.refusals import NeverDeliverable
from notifications.transport import Mail
from state_machines.registry import processes
from state_machines.values import SYSTEM
from tests.cast import Cast
from tests.sample import NOW, TODAY_AT_NINE, environment, sample_organisation


def an_environment(engine: Engine, home: Path, *, sandbox: bool = True) -> Environment:
    env = environment(engine, home)
    installation.initialise(engine, env.settings, sandbox=sandbox, now=NOW)
    return env


@pytest.fixture(scope="module")
def sample(database_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """The sample, for all tests that only look."""
    with sample_organisation(database_server, tmp_path_factory.mktemp("sample")) as env:
        yield Cast(env)


def test_there_are_members_of_both_kinds_with_several_contacts_and_names_that_are_hard_to_spell(sample: Cast) -> None:
    kinds = dict(tuple(row) for row in sample.rows("SELECT kind, count(*) FROM members GROUP BY kind"))
    several = sample.scalar("SELECT count(*) FROM (SELECT FROM contacts GROUP BY member_id HAVING count(*) > 1) AS m")

    assert kinds == {"organisation": 45, "person": 15}
    assert several >= 20
    assert sample.scalar("SELECT count(*) FROM members WHERE name LIKE '%,%'") >= 40
    assert sample.scalar("SELECT count(*) FROM members WHERE team IS NULL") == 0


def test_every_role_has_somebody_and_one_coordinator_is_away_with_a_deputy(sample: Cast) -> None:
    roles = sample.rows("SELECT unnest(roles) AS role, count(*) AS n FROM staff GROUP BY 1")
    away = sample.rows("SELECT from_date, until_date, deputy_id FROM absences")

    assert {row.role: row.n for row in roles} == {
        "coordinator": 3, "manager": 2, "senior_manager": 1, "council": 1, "administrator": 1, "finance": 1,
        "auditor": 1, "site": 1,
    }  # fmt: skip
    assert [(str(row.from_date), str(row.until_date)) for row in away] == [("2026-06-15", "2026-06-19")]
    assert away[0].deputy_id is not None


def test_its_clock_stands_at_nine_of_today_and_nothing_lies_ahead(sample: Cast) -> None:
    assert sample.env_now == TODAY_AT_NINE
    assert sample.scalar("SELECT max(at) FROM case_events") <= TODAY_AT_NINE
    assert sample.scalar("SELECT min(at) FROM case_events") < TODAY_AT_NINE - timedelta(days=70)


def test_every_process_has_cases_in_at_least_three_states(sample: Cast) -> None:
    states = defaultdict(set)
    for row in sample.rows("SELECT DISTINCT process, state FROM cases"):
        states[row.process].add(row.state)

    assert set(states) == set(processes())
    assert {name: len(found) for name, found in states.items() if len(found) < 3} == {}


def test_every_situation_that_a_newcomer_should_see_is_there(sample: Cast) -> None:
    rows = sample.rows("SELECT process || ' ' || state AS at, count(*) AS n FROM cases GROUP BY 1")
    count = defaultdict(int, {row.at: row.n for row in rows})

    assert count["survey_response exemption_requested"] == 1
    assert count["survey_response queried"] == 2
    assert count["survey_response bounced"] == 1
    wanted = {
        "complaint": ("received", "acknowledged", "stage_1", "stage_1_extended", "stage_1_responded", "stage_2",
                      "stage_1_approval", "closed"),
        "monitoring": ("triage", "assessment", "manager_decision", "cap_active", "suspended", "closed"),
        "cancellation": ("offer_made", "saved", "notice_running", "cooled_off", "cancelled"),
        "survey_campaign": ("live", "planning", "closed_100"),
        "signoff_campaign": ("live", "planning", "closed_100"),
        "signature": ("valid", "signed", "signed_with_reservation", "refused", "viewed", "pending"),
        "code_document": ("superseded", "effective", "draft"),
    }  # fmt: skip
    missing = [f"{name} {state}" for name, states in wanted.items() for state in states if not count[f"{name} {state}"]]
    assert missing == []
    assert sample.scalar("SELECT count(*) FROM cases WHERE process = 'complaint' AND closed_at IS NULL "
                         "AND deadline_at < :now", now=TODAY_AT_NINE) >= 1  # fmt: skip
    assert sample.scalar("SELECT count(*) FROM members WHERE status = 'suspended'") == 1


def test_a_little_more_than_half_of_the_members_have_answered_the_running_survey(sample: Cast) -> None:
    rows = sample.rows("SELECT r.state, count(*) AS n FROM cases r JOIN cases c ON c.id = r.parent_id "
                       "WHERE c.state = 'live' AND c.process = 'survey_campaign' GROUP BY 1")  # fmt: skip
    count = {row.state: row.n for row in rows}
    answered = sum(count.get(state, 0) for state in ("submitted", "dq_review", "queried", "resubmitted", "complete"))

    assert 0.5 <= answered / sum(count.values()) <= 0.6
    assert sample.scalar("SELECT count(*) FROM messages WHERE kind LIKE 'survey_reminder%' AND state = 'sent'") > 20


def test_no_promise_is_broken_and_the_record_verifies(sample: Cast) -> None:
    with reading(sample.env.engine) as conn:
        broken = broken_promises(conn, sample.env, TODAY_AT_NINE)
        report = audit.verify(conn)

    assert [found for found in broken if not found.warning] == []
    assert [found for found in broken if found.check != "no_sweep"] == []
    assert report.to_dict() == {"ok": True, "cases": report.cases, "events": report.events, "problems": []}
    assert report.cases == sample.scalar("SELECT count(*) FROM cases")


def test_every_mail_reads_as_if_somebody_had_written_it(sample: Cast) -> None:
    mails = sample.rows("SELECT id, kind, subject, body_text, body_html FROM messages WHERE state = 'sent'")
    odd = [
        f"{mail.kind} ({mail.id}): {sign}"
        for mail in mails
        for sign in ("None", "{{", "{%", "Traceback", "Error", "datetime.", "Undefined", "staff:", "@-")
        if sign in f"{mail.subject}\n{mail.body_text}\n{mail.body_html}"
    ]

    assert odd == []
    assert len(mails) > 200
    assert all(mail.subject and mail.body_text and mail.body_html for mail in mails)
    assert sample.scalar("SELECT count(*) FROM messages WHERE state = 'failed'") == 0


def test_no_mail_is_addressed_to_anybody_who_could_be_real(sample: Cast) -> None:
    assert sample.scalar("SELECT count(*) FROM messages WHERE to_email NOT LIKE '%.example'") == 0
    assert sample.scalar("SELECT count(*) FROM contacts WHERE email NOT LIKE '%.example'") == 0


def test_somebody_acted_for_the_coordinator_who_is_away(sample: Cast) -> None:
    assert sample.scalar("SELECT count(*) FROM case_events WHERE on_behalf_of IS NOT NULL") > 0


def test_loading_it_twice_adds_nothing(sample: Cast) -> None:
    before = sample.rows("SELECT (SELECT count(*) FROM case_events), (SELECT count(*) FROM messages)")

    counts = load_sample(sample.env, now=NOW + timedelta(days=3))

    assert counts["cases"] == sample.scalar("SELECT count(*) FROM cases")
    assert counts["members"] == 60
    assert sample.rows("SELECT (SELECT count(*) FROM case_events), (SELECT count(*) FROM messages)") == before
    assert sample.env_now == TODAY_AT_NINE


def test_it_is_not_loaded_into_a_production_database(engine: Engine, tmp_path: Path) -> None:
    env = an_environment(engine, tmp_path, sandbox=False)

    with pytest.raises(NoSandbox):
        load_sample(env, now=NOW)


def test_a_loading_that_was_interrupted_is_noticed(engine: Engine, tmp_path: Path) -> None:
    env = an_environment(engine, tmp_path)
    add_staff(engine, "Amara Okafor", f"amara@{DOMAIN}", ["coordinator"], actor=SYSTEM, now=NOW)

    with pytest.raises(HalfLoaded):
        load_sample(env, now=NOW)


def test_mail_that_is_kept_comes_back_from_an_address_that_is_gone() -> None:
    mail = Mail("<1@x.example>", "Gone@x.example", "", "S", "T", "H", NOW)
    post = KeepingTransport({"gone@x.example": NOW})

    post.now = NOW - timedelta(days=1)
    post.send(mail)
    post.now = NOW
    with pytest.raises(NeverDeliverable):
        post.send(mail)

    assert post.count == 1
