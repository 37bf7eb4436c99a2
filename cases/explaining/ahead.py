"""A case run ahead with whatever can move it: its parent, linked cases, other cases of its member, its own mail.

The moments are those at which a sweep or a delivery would have something to do. At each the sweep's own decisions are
made and the mail's own questions are asked; nothing is written. What depends on more than these cases, such as how many
of a large campaign's children have answered, stays as it is today; the children of a small one are run along with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cases.delivering import BOUNCE, NO_ADDRESS
from cases.environment import World
from cases.explaining.post import Post
from cases.explaining.tracks import Supposed, Track
from cases.follow import CHILDREN_ALL
from cases.rows import GENESIS, Head
from cases.writing import Change
from state_machines.engine import EndlessCase, decide, open_case
from state_machines.registry import process_named
from state_machines.values import SYSTEM, Case, FireLinked, Outcome, Refused, Spawn, Step

HORIZON = timedelta(days=731)
MOST_MOMENTS = 400
FINAL, REPEATS, RESTS, HORIZON_REACHED, ENDLESS, LONG = "final", "repeats", "rests", "horizon", "endless", "long"


@dataclass(frozen=True)
class Moved:
    """Something that happens to the case at a moment ahead."""

    at: datetime
    step: Step
    seq: int
    """The number its event will have."""
    cause: str | None
    """The reference of the case that pulls this trigger; None where it is the case's own clock, or its mail."""
    owner_id: int | None
    """Who owns the case from then on."""
    owner_role: str
    case: Case


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two cases."""

    from_id: int
    to_id: int
    type: str


@dataclass
class Ahead:
    """A run ahead: the case, those that may move it, and its mail."""

    world: World
    main: Track
    others: list[Track]
    post: Post
    links: list[Link]
    """How these cases and those between them are linked."""
    apart: Counter[str] | None = None
    """Of children that are not run along how many are in which state; None where none is, and they stay as today."""
    repeated_enough: Callable[[Track, Sequence[Moved]], bool] = lambda track, moved: False
    moved: list[Moved] = field(default_factory=list)
    ended: str = HORIZON_REACHED
    _new: int = 0

    def run(self, until: datetime) -> None:
        """Run until the case ends, nothing more comes, it only repeats itself, or an instant is reached."""
        for _ in range(MOST_MOMENTS):
            moment = self._next()
            if moment is None or moment > until:
                self.ended = RESTS if moment is None else HORIZON_REACHED
                break
            try:
                self._live(moment)
            except EndlessCase:
                self.ended = ENDLESS
                return
            if self._over():
                break
        else:
            self.ended = LONG
        if not self.main.open:
            self.ended = FINAL
        elif self.ended in (HORIZON_REACHED, LONG) and self.repeated_enough(self.main, self.moved):
            self.ended = REPEATS

    def _over(self) -> bool:
        if not self.main.open:
            return self.post.next_at() is None
        if not self._can_be_moved() and self.repeated_enough(self.main, self.moved):
            self.ended = REPEATS
            return True
        return False

    def _next(self) -> datetime | None:
        tracks = [self.main, *self.others] if self.main.open else []
        instants = [track.next_at for track in tracks] + [self.post.next_at()]
        known = [at for at in instants if at is not None]
        if not known or (self.main.next_at is None and self.post.next_at() is None and not self._can_be_moved()):
            return None
        return max(min(known), self.world.now)

    def _can_be_moved(self) -> bool:
        return any(track.next_at is not None for track in self.others)

    def _live(self, moment: datetime) -> None:
        """Let a sweep come by, then a delivery."""
        here = replace(self.world, now=moment)
        self._look_around()
        changes: list[tuple[Track, Change]] = []
        due = [t for t in [self.main, *self.others] if t.next_at is not None and t.next_at <= moment]
        for track in sorted(due, key=lambda track: (track.next_at, track.case.id)):
            outcome = track.swept(here)
            if outcome is not None:
                changes.append((track, self._taken(track, outcome, here, None)))
        self._follow(changes, here)
        self.post.deliver(here, self.main.locked)
        if self.post.unusable:
            self._bounced(here)

    def _taken(self, track: Track, outcome: Outcome, here: World, cause: str | None) -> Change:
        change = track.take(outcome, here)
        if track is self.main:
            self.post.take(change)
            first = change.head.seq + 1
            owner, role, case = change.owner_id, outcome.owner_role.value, track.case
            self.moved += [
                Moved(here.now, step, first + place, cause, owner, role, case)
                for place, step in enumerate(outcome.steps)
            ]
        return change

    def _follow(self, changes: Sequence[tuple[Track, Change]], here: World) -> None:
        """Open and move other cases as the record's one door does."""
        for _ in range(6):
            following: list[tuple[Track, Change]] = []
            for track, change in changes:
                for step in change.outcome.steps:
                    following += [found for spawn in step.spawns if (found := self._spawn(track, spawn, here))]
                    self._open_children(track, step)
                    following += [found for wish in step.fires for found in self._fire(track, wish, here)]
            if not following:
                return
            changes = following

    def _spawn(self, track: Track, spawn: Spawn, here: World) -> tuple[Track, Change] | None:
        """Open a case in memory, so that it can be seen by the one that opened it."""
        process, parent, self._new = process_named(spawn.process), track.case, self._new - 1
        seed = Case(self._new, f"{process.prefix}-new", process.name, process.initial, 0, here.now, here.now, here.now,
                    parent.member_id, spawn.subject, parent.team)  # fmt: skip
        facts = Supposed({})
        outcome = open_case(
            process, seed, payload=spawn.data, actor=SYSTEM, context=here.context(facts), now=here.now
        )  # fmt: skip
        if isinstance(outcome, Refused):
            return None
        locked = replace(track.locked, case=outcome.after, head=Head(0, GENESIS), owner_role=outcome.owner_role.value)
        born = Track(locked, facts)
        self.others.append(born)
        self.links.append(Link(self._new, track.case.id, spawn.link))
        if track is self.main and "linked" in self.main.facts:
            told = {"ref": seed.ref, "process": process.name, "link": spawn.link, "direction": "from"}
            self.main.facts["linked"] = [*self.main.facts["linked"], told]
        return born, Change(outcome, process.version, track.locked.owner_id, track.locked.coordinator_id)

    def _fire(self, track: Track, wish: FireLinked, here: World) -> list[tuple[Track, Change]]:
        found = []
        for other in [self.main, *self.others]:
            if other is track or not other.open or not self._meant(track, other, wish):
                continue
            outcome = decide(
                other.process, other.case, wish.trigger, payload=dict(wish.data) or None, actor=SYSTEM,
                context=here.context(other.facts), now=here.now,
            )  # fmt: skip
            if not isinstance(outcome, Refused):
                found.append((other, self._taken(other, outcome, here, track.case.ref)))
        return found

    def _open_children(self, track: Track, step: Step) -> None:
        """Count the children of everybody who is asked: each begins as all do, and nobody acts."""
        if track is not self.main or step.children is None or step.children.only:
            return
        asked = int((track.facts.get("population") or {}).get("eligible", 0))
        before = self.apart if self.apart is not None else Counter(self.main.facts.get("children") or {})
        self.apart = before + Counter({process_named(step.children.process).initial: asked})

    def _meant(self, track: Track, other: Track, wish: FireLinked) -> bool:
        if wish.where in ("children", CHILDREN_ALL):
            return other.case.parent_id == track.case.id
        if wish.where == "parent":
            return other.case.id == track.case.parent_id
        if wish.where.startswith("member:"):
            same = other.case.member_id is not None and other.case.member_id == track.case.member_id
            return same and other.process.name == wish.where.split(":", 1)[1]
        if ">" in wish.where:
            along, link = wish.where.split(">", 1)
            reached = self._reached(track.case.id, along)
            return any(
                each.from_id == other.case.id and each.to_id in reached for each in self.links if each.type == link
            )
        ends = {track.case.id, other.case.id}
        return any({each.from_id, each.to_id} == ends for each in self.links if each.type == wish.where)

    def _reached(self, case_id: int, along: str) -> set[int]:
        """The cases to which links of one type lead from a case, however many steps away."""
        reached: set[int] = set()
        last = {case_id}
        while last := {e.to_id for e in self.links if e.type == along and e.from_id in last} - reached:
            reached |= last
        return reached

    def _look_around(self) -> None:
        """What the case knows of its children and of linked cases is what they are by then."""
        if self.apart is not None:
            here = Counter(t.case.state for t in self.others if t.case.parent_id == self.main.case.id)
            self.main.facts["children"] = dict(self.apart + here)
        linked = self.main.facts.get("linked")
        if not linked:
            return
        known = {track.case.ref: track.case for track in self.others}
        self.main.facts["linked"] = [
            {**each, "state": known[each["ref"]].state, "outcome": known[each["ref"]].data.get("outcome"),
             "data": known[each["ref"]].data} if each["ref"] in known else each
            for each in linked
        ]  # fmt: skip

    def _bounced(self, here: World) -> None:
        """Mail found no address: a case that waits for that moves, as delivery has it."""
        self.post.unusable = False
        if not self.main.open:
            return
        outcome = decide(
            self.main.process, self.main.case, BOUNCE, payload={"status": NO_ADDRESS}, actor=SYSTEM,
            context=here.context(self.main.facts), now=here.now,
        )  # fmt: skip
        if not isinstance(outcome, Refused):
            self._follow([(self.main, self._taken(self.main, outcome, here, None))], here)
