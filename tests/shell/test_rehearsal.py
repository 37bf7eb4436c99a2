"""Campaigns rehearsed: what is foreseen is what then leaves, and nothing real is touched."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from sqlalchemy import Engine, text

from cases.errors import CaseNotFound, NotAllowed
from cases.rehearsing.rehearsal import rehearse
from cases.rehearsing.response_model import ResponseModel, learnt
from cases.rehearsing.stage import RehearsalsBusy, stage
from cases.rehearsing.values import MODEL, Wish, rehearsal_of
from config.database import make_engine, reading, to_json, transaction
from members.absence_commands import set_absence
from members.staff_store import staffing
from state_machines.registry import process_named
from state_machines.values import SYSTEM
from tests.campaign_story import NORTH, launched, planned
from tests.cast import MONDAY, Cast, cast_of
from tests.conftest import fresh_database
from tests.rehearsed_world import World, fingerprint_of, lived, worlds
from tests.shell.cli_runner import muster_of

SOAK = int(os.environ.get("MUSTER_SOAK", "2"))
"""So many campaigns are rehearsed and lived through; ``make soak`` asks for a thousand."""
AT_ONCE = min(SOAK, 10)
"""So many of them in one world: real time passes once for all."""


@pytest.mark.timeout(300 + 30 * SOAK)
@settings(
    max_examples=-(-SOAK // AT_ONCE), deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(world=worlds(AT_ONCE))
def test_a_rehearsal_foresees_every_mail_to_the_minute_the_receiver_and_the_word(
    world: World, database_admin: Engine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(world.campaigns)
    with fresh_database(database_admin) as url:
        engine = make_engine(url)
        try:
            found = lived(cast_of(engine, tmp_path_factory.mktemp("home")), world)
            assert any(planned.foreseen for planned in found.planned)
            for planned in found.planned:
                foreseen, sent = Counter(planned.foreseen or ()), Counter(found.really_sent(planned))
                assert (foreseen - sent, sent - foreseen) == (Counter(), Counter()), planned.ref
        finally:
            engine.dispose()


# ------------------------------------------------------------------------------------------------------ one campaign


def few(cast: Cast) -> str:
    """A planned campaign among three members, two of the North and one of the South."""
    cast.members(*NORTH[:2], tier="General")
    cast.members("Ødegård Sør", team="South", tier="Associate")
    return planned(cast).ref


def test_a_rehearsal_writes_nothing_tells_what_lands_on_whom_and_shows_each_team_its_own(
    cast: Cast, tmp_path: Path
) -> None:
    ref = few(cast)
    away = (date(2026, 4, 21), date(2026, 4, 30))
    set_absence(cast.env.engine, "mina@muster.example", *away, deputy="max@muster.example", actor=SYSTEM, now=MONDAY)
    before = fingerprint_of(cast)
    found = rehearse(cast.env, ref, Wish(), actor=cast.actor("Mina"))

    assert found.assumed[0] == "“Approve plan” is taken for done today."
    assert found.end.endswith("(3 Decision)")
    assert (found.members, found.totals["answered"], found.totals["outstanding"]) == (3, 0, 3)
    assert {m.to_email for m in found.mails if m.kind == "survey_invitation"} == {
        f"m{n}@members.example" for n in (1, 2, 3)
    }
    assert {m.at.isoformat() for m in found.mails if m.kind == "survey_invitation"} == {"2026-03-09T09:00:00+00:00"}
    assert "On Monday 20 April 2026, 3 members would get more than one mail: “Last day” and “One day left”." in (
        found.warnings
    )
    late = next(x for x in found.landings if x.title == "Who is missing at the deadline" and x.instead_of)
    assert (late.lands_on, late.instead_of) == ("Max", "Mina")
    assert any("Max acts" in mark for day in found.days for mark in day.marks)
    assert next(d for d in found.days if d.day == date(2026, 4, 3)).marks[0] == "Public holiday"
    assert sum(d.mails for d in found.days) == len(found.mails) == found.totals["mails"]
    assert all(len(m.text) > 50 and "/m/…" in m.text for m in found.mails if m.kind == "survey_invitation")
    assert rehearsal_of(orjson.loads(to_json(found.to_dict(mails=False)))) == replace(found, mails=())

    north = rehearse(cast.env, ref, Wish(until=date(2026, 3, 20)), actor=cast.actor("Amara"))
    assert (north.whole, north.members) == (False, 2)
    assert not any("Ødegård" in m.case or "m3@" in m.to_email for m in north.mails)
    with pytest.raises(NotAllowed):
        rehearse(cast.env, ref, Wish(), actor=cast.actor("Ada"))
    with pytest.raises(CaseNotFound):
        rehearse(cast.env, "SC-2026-999999", Wish(), actor=cast.actor("Mina"))

    told = tmp_path / "answers.yaml"
    told.write_text(
        "- {at: 2026-03-10T10:00, member: M-000001, what: answer}\n- {at: 2026-03-10, member: M-000009, what: view}\n"
    )
    muster = muster_of(cast)
    said = muster.json("campaigns", "rehearse", ref, "--answers", str(told), "--until", "2026-03-13")
    assert (said["totals"]["answered"], said["forecast"]) == (1, None)
    assert said["refused"][0].endswith("M-000009 is not asked in this campaign at that time.")
    assert "Receipt of the answer 1" in muster(
        "campaigns", "rehearse", ref, "--answers", str(told), "--until", "2026-03-13", "--mails"
    ).out  # fmt: skip
    assert "none, model or a file" in muster("campaigns", "rehearse", ref, "--answers", "nonsense", code=1).err
    assert fingerprint_of(cast) == before


def test_the_same_course_is_drawn_twice_and_the_forecast_never_falls(cast: Cast) -> None:
    ref = few(cast)
    wish = Wish(MODEL, 7, date(2026, 3, 27))
    one, two = (rehearse(cast.env, ref, wish, actor=cast.actor("Mina")) for _ in range(2))
    assert [(m.at, m.kind, m.to_email) for m in one.mails] == [(m.at, m.kind, m.to_email) for m in two.mails]
    assert one.totals["answered"] == sum(day.answers for day in one.days)
    assert one.forecast is not None
    assert one.forecast == two.forecast
    days = one.forecast.days
    assert [d.median for d in days] == sorted(d.median for d in days)
    assert all(0 <= d.low <= d.median <= d.high <= 3 for d in days)
    assert days[-1].median > 0
    assert one.forecast.campaigns == 0


def test_on_the_stage_nothing_real_can_be_written_and_the_real_staff_stay_as_they_are(cast: Cast) -> None:
    ref = few(cast)
    case_id = cast.scalar("SELECT id FROM cases WHERE ref = :ref", ref=ref)
    with stage(cast.env, case_id, now=MONDAY) as one, stage(cast.env, case_id, now=MONDAY):
        with pytest.raises(RehearsalsBusy), stage(cast.env, case_id, now=MONDAY):
            pass
        with pytest.raises(Exception, match="read-only transaction"), one.engine.begin() as conn:
            conn.execute(text("DELETE FROM public.staff"))
        day = date(2026, 3, 3)
        set_absence(one.engine, "mina@muster.example", day, day, deputy="max@muster.example", actor=SYSTEM, now=MONDAY)
        with reading(one.engine) as conn:
            mina = staffing(conn).by_email("mina@muster.example")
            assert mina is not None
            assert staffing(conn).away(mina.id, day) is not None
        with reading(cast.env.engine) as conn:
            assert staffing(conn).away(mina.id, day) is None
    with stage(cast.env, case_id, now=MONDAY) as lost:
        with pytest.raises(Exception, match="terminat"), lost.engine.connect() as conn:
            conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        with pytest.raises(Exception, match="was lost"), lost.engine.connect():
            pass


def test_the_response_model_learns_from_campaigns_that_are_closed(cast: Cast) -> None:
    cast.members(*NORTH[:3], tier="General")
    past = launched(cast)
    for member in NORTH[:2]:
        past.answers(member)
    process = process_named("survey_campaign")

    def model() -> ResponseModel:
        with reading(cast.env.engine) as conn:
            return learnt(conn, cast.env.policy.response_model, process, 0)

    assert (model().campaigns, model().share("invitation")) == (0, pytest.approx(0.30))
    with transaction(cast.env.engine) as conn:
        closed = text("UPDATE cases SET closed_at = now(), outcome = 'closed_with_exceptions' WHERE ref = :ref")
        conn.execute(closed, {"ref": past.ref})
    found = model()
    assert (found.campaigns, found.contacts["invitation"], found.answers["invitation"]) == (1, 3, 2)
    assert found.share("invitation") == pytest.approx((0.30 * 20 + 2) / 23)
    assert found.share("letter") == pytest.approx(0.15)
