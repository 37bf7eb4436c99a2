"""A world lived through by workers, with or without kills, and what is known about each kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from time import sleep
from typing import Any

from cases.own.links import own_token
from config.clock import monotonic
from config.database import reading
from notifications import delivery, links
from notifications.transport import domain_of, message_id_for
from tests.faults.kill_desk import Desk, Visitor
from tests.faults.kill_points import (
    ACTING,
    DELIVERING,
    LAUNCHING,
    SERVING,
    SWEEPING,
    WINDOW,
    WORKING,
    put_hooks,
)  # fmt: skip
from tests.faults.kill_post import Post
from tests.faults.kill_story import BY_WEB, World, delivers, flow, people, sweeps
from tests.faults.kill_workers import STEP, End, Kill, Watch, run
from web.app import create_app

POINTS: Mapping[str, Sequence[str]] = {
    "sweep": (*LAUNCHING, *SWEEPING), "people": ACTING, "desk": SERVING, "delivery": DELIVERING, "job": WORKING,
}  # fmt: skip
"""Where each kind of process is killed on purpose."""
Key = tuple[int, str]
"""A step of the script, and the kind of process."""
_PATIENCE = 60.0
_MANY_ATTEMPTS = 6
"""A message that deliveries died of eight times is given up; nobody is killed again before that."""


@dataclass(frozen=True)
class Killed:
    """One kill: which process, how it was meant, and where it stood if it said so."""

    process: str
    kill: Kill
    point: str
    repeats: Sequence[str] = ()
    """The kinds of the messages that the server has and our record does not know to be sent."""


@dataclass
class Life:
    """One world, lived step by step. Without a killer nobody is killed, and what everybody does is counted."""

    world: World
    post: Post
    killer: Killer | None = None
    ends: dict[Key, End] = field(default_factory=dict)
    killed: list[Killed] = field(default_factory=list)
    in_window: list[str] = field(default_factory=list)
    """The Message-IDs that were accepted from workers that died before they had recorded it."""

    def live(self) -> None:
        """Live through all steps."""
        with closing(Desk(create_app(self.world.env), self._fresh)) as desk:
            for step in range(len(self.world.script.days)):
                self.world.looking.go_to(self.world.at(step))
                self._step(step, desk)
                self._caught_up()

    def _step(self, step: int, desk: Desk) -> None:
        by_prefect = step % 3 == 2
        self.until_done((step, "sweep"), flow("sweep") if by_prefect else sweeps)
        self.until_done((step, "job"), flow("housekeeping"))
        seen = self.world.seen(self.world.script.deeds.get(step, ()))
        self.until_done((step, "people"), people([each for each in seen if each[0].what != BY_WEB]))
        for deed, page in seen:
            if deed.what == BY_WEB:
                self._visit(desk, page.id)
        self.until_done((step, "delivery"), flow("deliver") if by_prefect else delivers)

    def until_done(self, key: Key, work: Callable[[World, Watch], Any]) -> None:
        """Let workers do something until one of them comes to its end."""
        for kill in self.killer.kills(key, self) if self.killer is not None else ():
            end = self._run(work, kill)
            if end.killed:
                self._after(key[1], kill, end)
            assert self.killer is not None
            self.killer.came(key[1], kill, end)
        self._nobody_is_at_work()
        self.ends[key] = self._run(work, None)

    def _run(self, work: Callable[[World, Watch], Any], kill: Kill | None) -> End:
        def worker(watch: Watch) -> Any:
            self.begin(watch)
            return work(self.world, watch)

        return run(worker, kill)

    def begin(self, watch: Watch) -> None:
        """In a worker, before anything else."""
        self._fresh()
        put_hooks(watch)

    def _fresh(self) -> None:
        """In a worker: connections are not inherited."""
        self.world.env.engine.dispose(close=False)

    def _visit(self, desk: Desk, case_id: int) -> None:
        """Let a member answer on their page."""

        def chosen() -> Iterator[Kill]:
            return self.killer.of_desk() if self.killer is not None else iter(())

        def died(kill: Kill, end: End) -> None:
            self._after("desk", kill, end)
            assert self.killer is not None
            self.killer.came("desk", kill, end)

        with reading(self.world.looking.env.engine) as conn:
            token = own_token(self.world.env, conn, links.MEMBER, case_id)
        Visitor(desk, chosen, died).answer(f"/m/{token}")
        self._nobody_is_at_work()

    # --- what a kill leaves behind

    def _after(self, process: str, kill: Kill, end: End) -> None:
        """Look at what the dead worker has left, and let the time pass after which others take it over."""
        found: Sequence[str] = ()
        if process == "delivery":
            self._nobody_is_at_work()
            found = self._repeats()
            assert found or end.point not in WINDOW, f"nothing is repeated after: {end.point}"
        self.killed.append(Killed(process, kill, end.point, found))
        let_leases_end(self.world)

    def _repeats(self) -> Sequence[str]:
        """Return the kinds of the messages that were accepted and are not recorded as sent: they come once more."""
        rows = self.world.looking.rows("SELECT key, kind FROM messages WHERE state = 'sending'")
        domain = domain_of(self.world.env.settings)
        leased = {message_id_for(row.key, domain): row.kind for row in rows}
        times, known = Counter(each.message_id for each in self.post.accepted()), Counter(self.in_window)
        found = [message_id for message_id in leased if times[message_id] > known[message_id]]
        assert len(found) <= delivery.WINDOW * self.world.env.policy.mail.connections, found
        self.in_window += found
        return [leased[each] for each in found]

    def _nobody_is_at_work(self) -> None:
        """Wait until the database has noticed that the dead are dead: what they had begun is undone, or done."""
        ends = monotonic() + _PATIENCE
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND application_name <> 'test' AND backend_type = 'client backend'"
        )
        while self.world.looking.scalar(others):
            assert monotonic() < ends, "the connection of a dead worker stays"
            sleep(0.001)

    def _caught_up(self) -> None:
        """Nothing is left that was due: no clock, no message, no job."""
        [left] = self.world.looking.rows(
            "SELECT (SELECT count(*) FROM cases WHERE due_at < i.clock_at) AS cases, "
            "(SELECT count(*) FROM messages WHERE state = 'sending' OR state = 'queued' AND not_before <= i.clock_at) "
            "AS messages, (SELECT count(*) FROM job_runs WHERE finished_at IS NULL) AS jobs FROM installation i"
        )
        assert tuple(left) == (0, 0, 0), left


def let_leases_end(world: World) -> None:
    """Let the real time pass after which others take over what a dead worker has begun."""
    with world.looking.env.engine.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE messages SET lease_until = lease_until - interval '1 hour' WHERE state = 'sending'"
        )
        conn.exec_driver_sql(
            "UPDATE job_runs SET started_at = started_at - interval '1 hour' WHERE finished_at IS NULL"
        )


@dataclass
class Killer:
    """Chooses when to kill: first at every named point, then at random, as often as was asked for."""

    lived: Mapping[Key, End]
    """How the same script went without kills."""
    total: int
    chance: Random
    by_the_clock: bool
    done: int = 0
    missed: int = 0
    reached: set[tuple[str, str]] = field(default_factory=set)
    _desk: int = 0

    def kills(self, key: Key, life: Life) -> Iterator[Kill]:
        """Yield one kill after the other for a process of a step; `came` says what became of each."""
        process = key[1]
        clean = self.lived[key]
        for point in POINTS[process]:
            if clean.reached.get(point) and (process, point) not in self.reached and self._may(life, process):
                yield Kill(point, 2 if point.startswith("mail:") and len(self.reached) % 2 else 1)
        done, wanted = 0, self._share(key)
        left = max(8, clean.reached.get(STEP, 0))
        while done < wanted and self._may(life, process):
            before = self.done
            kill = self._random(clean, left, process)
            yield kill
            done += 1
            if self.done > before and kill.point == STEP:
                left = max(8, left - kill.nth // 2)

    def _may(self, life: Life, process: str) -> bool:
        most = "SELECT max(attempts) FROM messages WHERE state IN ('queued', 'sending')"
        return process != "delivery" or (life.world.looking.scalar(most) or 0) <= _MANY_ATTEMPTS

    def _share(self, key: Key) -> int:
        """How many of all random kills fall to this process of this step: more where more is done."""
        weights = {each: end.reached.get(STEP, 0) ** 0.5 for each, end in self.lived.items() if each >= key}
        left = max(0, self.total - self.done - sum(map(len, POINTS.values())) + len(self.reached))
        exact = left * weights[key] / max(1, sum(weights.values()))
        return int(exact) + (self.chance.random() < exact % 1)

    def _random(self, clean: End, left: int, process: str) -> Kill:
        way = self.chance.random()
        if self.by_the_clock and way < 0.4:
            return Kill(seconds=self.chance.uniform(0, clean.seconds * left / max(8, clean.reached.get(STEP, 0))))
        points = [point for point in POINTS[process] if clean.reached.get(point)]
        if way < 0.65 and points:
            point = self.chance.choice(points)
            return Kill(point, self.chance.randint(1, min(20, clean.reached[point])))
        return Kill(STEP, self.chance.randint(1, left))

    def of_desk(self) -> Iterator[Kill]:
        """Yield when the desk is killed while it is sent one form: the form is sent again after each."""
        for point in SERVING:
            if ("desk", point) not in self.reached:
                yield Kill(point)
        while self.by_the_clock and self.chance.random() < 0.5:
            yield self.chance.choice([
                Kill(self.chance.choice(SERVING)), Kill(STEP, self.chance.randint(1, 40)),
                Kill(seconds=self.chance.uniform(0, 0.3)),
            ])  # fmt: skip

    def came(self, process: str, kill: Kill, end: End) -> None:
        """Note whether a kill came before its worker was done."""
        if not end.killed:
            self.missed += 1
            return
        self.done += 1
        if kill.point and kill.point != STEP:
            self.reached.add((process, kill.point))
