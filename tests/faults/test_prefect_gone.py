"""Prefect is gone, for an hour or for months: other hands do its work, and one sweep brings everything up to date."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from cases.delivering import deliver
from cases.sweep import sweep_due
from config.database import transaction
from tests.campaign_story import launched
from tests.cast import MONDAY, Cast
from tests.faults.kept import broken
from tests.post import letterbox
from tests.shell.cli_runner import muster_of
from tests.shell.test_sweep import complaints


def test_without_prefect_cron_does_its_work_and_everybody_is_told_when_nobody_does(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints(cast, 3)
    for name in [name for name in sys.modules if name.partition(".")[0] == "prefect"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prefect", None)  # nobody can import it any more
    muster = muster_of(cast)
    assert muster.json("status")["sweep"]["late"] is True
    cast.go_to(MONDAY + timedelta(days=8))
    with letterbox() as box:
        monkeypatch.setenv("MUSTER_SMTP_URL", box.url)
        assert muster.json("sweep")["fired"] == 3
        assert muster.json("deliver")["sent"] == len(box.mails) > 0
    assert muster.json("status")["sweep"]["late"] is False
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql("UPDATE sweeps SET started_at = started_at - interval '1 day'")
    found = muster.json("check")
    assert (found["ok"], [one["check"] for one in found["warnings"]]) == (True, ["no_sweep"])


@pytest.mark.parametrize("away", [timedelta(hours=3), timedelta(days=1), timedelta(days=8), timedelta(days=33)])
def test_however_long_nobody_swept_one_sweep_catches_up_and_nobody_gets_a_heap_of_reminders(
    cast: Cast, away: timedelta
) -> None:
    story = launched(cast, launch="2026-03-02")
    complaints(cast, 3)
    back = cast.go_to(_in_the_office(MONDAY + timedelta(days=2) + away))
    sweep_due(cast.env)
    assert cast.scalar("SELECT count(*) FROM cases WHERE due_at <= :now", now=back) == 0
    assert sweep_due(cast.env).fired == 0, "one was enough"
    with letterbox() as box:
        smtp = SecretStr(box.url)
        env = replace(cast.env, settings=cast.env.settings.model_copy(update={"smtp_url": smtp}))
        deliver(env)
        deliver(env)
    members = Counter(address for address, _ in box.mails if address.endswith("@members.example"))
    assert max(members.values(), default=0) <= 1, "what came later takes the place of what came before"
    assert cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=story.ref)
    overdue = "SELECT count(*) FROM case_events WHERE occurrence IS NOT NULL GROUP BY occurrence HAVING count(*) > 1"
    assert cast.rows(overdue) == []
    assert broken(cast) == []


def _in_the_office(instant: datetime) -> datetime:
    """The next weekday at eleven: everything may leave then."""
    while instant.weekday() > 4:
        instant += timedelta(days=1)
    return instant.replace(hour=11)
