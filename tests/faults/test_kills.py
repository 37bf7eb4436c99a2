"""Processes are killed at random while a campaign runs, and the record comes out as if they had not been.

``MUSTER_SOAK=1`` lets 2,000 members live through a month, in which processes are killed a thousand times.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import time
from pathlib import Path
from random import Random

import pytest

from config.database import Engine, make_engine
from notifications.smtp import SmtpSession
from tests.conftest import fresh_database
from tests.faults.kept import broken
from tests.faults.kill_life import POINTS, Killer, Life, let_leases_end
from tests.faults.kill_post import post
from tests.faults.kill_record import differences, record_of
from tests.faults.kill_story import MORNING, Script, begun, delivers, script, sweeps
from tests.faults.kill_workers import Watch, WorkerFailed, run

SOAK = bool(os.environ.get("MUSTER_SOAK"))
SEED = 20260309
MONTH = [(day, MORNING) for day in range(32)]
SHORT: list[tuple[int, time]] = [(day, MORNING) for day in (0, 1, 7, 14, 18, 21)]


def lived(admin: Engine, folder: Path, told: Script, stack: ExitStack, killer: Killer | None = None) -> Life:
    """Return a world of its own after all of it was lived through."""
    life = at_its_beginning(admin, folder, told, stack, killer)
    life.live()
    return life


def at_its_beginning(
    admin: Engine, folder: Path, told: Script, stack: ExitStack, killer: Killer | None = None
) -> Life:  # fmt: skip
    """Return a world of its own, with its mail server, on the day before the launch."""
    folder.mkdir()
    engine = make_engine(stack.enter_context(fresh_database(admin)))
    stack.callback(engine.dispose)
    server = stack.enter_context(post(folder, told.dead()))
    world = begun(engine, folder / "home", server.url, told)
    stack.callback(world.looking.env.engine.dispose)
    return Life(world, server, killer)


@pytest.mark.timeout(0 if SOAK else 300)
def test_a_campaign_whose_processes_are_killed_ends_as_one_whose_are_not(
    database_admin: Engine, tmp_path: Path
) -> None:
    told = script(2000, MONTH, by_web=60, seed=SEED) if SOAK else script(45, SHORT, by_web=1, seed=SEED)
    with ExitStack() as stack:
        calm = lived(database_admin, tmp_path / "calm", told, stack)
        killer = Killer(calm.ends, 1100 if SOAK else 0, Random(SEED), by_the_clock=SOAK)  # noqa: S311
        rough = lived(database_admin, tmp_path / "rough", told, stack, killer)
        print("\n".join(what_happened(calm, rough)))  # noqa: T201  the numbers are the result of the long one

        found = list(differences(record_of(calm.world.looking), record_of(rough.world.looking)))
        assert not found, "\n".join(found[:20])
        assert len(rough.killed) >= (1000 if SOAK else 40)
        for life in (calm, rough):
            assert broken(life.world.looking) == []
            assert Counter(each.message_id for each in life.post.accepted()) == sent(life) + Counter(life.in_window)
        assert {(process, point) for process, points in POINTS.items() for point in points} == killer.reached


def sent(life: Life) -> Counter[str]:
    """What the record says was sent, by Message-ID."""
    rows = life.world.looking.rows("SELECT message_id FROM messages WHERE state = 'sent'")
    return Counter(row.message_id for row in rows)


def what_happened(calm: Life, rough: Life) -> Iterator[str]:
    """Yield the numbers, in lines."""
    looking, kills = rough.world.looking, rough.killed
    in_window = [kill for kill in kills if kill.repeats]
    yield f"{rough.world.script.members:6,} members, {len(rough.world.script.days)} simulated moments"
    yield f"{looking.scalar('SELECT count(*) FROM case_events'):6,} events"
    yield f"{sum(sent(rough).values()):6,} mails sent; without kills {sum(sent(calm).values()):,}"
    yield f"{len(kills):6,} kills with SIGKILL, of them"
    for process, number in sorted(Counter(kill.process for kill in kills).items()):
        yield f"{number:6,}   of the process: {process}"
    for point, number in sorted(Counter(kill.point or "wherever it was, by the clock" for kill in kills).items()):
        yield f"{number:6,}   at: {point}"
    yield f"{len(rough.in_window):6,} mails repeated with the Message-ID of the first, after {len(in_window)} kills"
    for point, number in sorted(Counter(k.point or "by the clock" for k in in_window for _ in k.repeats).items()):
        yield f"{number:6,}   accepted and not recorded when its delivery was killed at: {point}"
    for kind, number in sorted(Counter(kind for kill in in_window for kind in kill.repeats).items()):
        yield f"{number:6,}   {kind}"


def test_a_mail_that_deliveries_die_of_is_given_up_and_all_others_leave_once(
    database_admin: Engine, tmp_path: Path
) -> None:
    told = script(12, SHORT[:2], by_web=0, seed=SEED)
    with ExitStack() as stack:
        life = at_its_beginning(database_admin, tmp_path / "world", told, stack)
        life.world.looking.go_to(life.world.at(0))
        life.until_done((0, "sweep"), sweeps)

        def dies(watch: Watch) -> None:
            life.begin(watch)
            really = SmtpSession._envelope

            def envelope(self: SmtpSession, sender: str, recipient: str, *, international: bool) -> None:
                if recipient == "m7-1@x.example":
                    os.kill(os.getpid(), signal.SIGKILL)
                really(self, sender, recipient, international=international)

            SmtpSession._envelope = envelope  # type: ignore[method-assign]
            delivers(life.world, watch)

        for _ in range(life.world.env.policy.mail.attempts + 1):
            with pytest.raises(WorkerFailed, match="without a word"):
                run(dies)
            let_leases_end(life.world)
        life.until_done((0, "delivery"), delivers)

        failed = life.world.looking.rows("SELECT to_email, reason FROM messages WHERE state = 'failed'")
        assert [row.to_email for row in failed] == ["m7-1@x.example"]
        assert "deliveries ended in the middle of it" in failed[0].reason
        left = "SELECT count(*) FROM messages WHERE state IN ('queued', 'sending')"
        assert life.world.looking.scalar(left) == 0
        times = Counter(each.message_id for each in life.post.accepted())
        assert times.keys() == sent(life).keys() and max(times.values()) <= 2
