"""Rehearsals asked for at the desk: run beside the page where they take long, kept some days for whoever asked."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update

from cases.campaigning.sight import Sight, looking, sight_of
from cases.environment import Environment, load_policy, working_calendar, world
from cases.errors import BadInput, CaseError, CaseNotFound, NotAllowed
from cases.rehearsing.rehearsal import MAY_REHEARSE, end_of, rehearse
from cases.rehearsing.tables import DONE, FAILED, RUNNING, RehearsalRow, RehearsedMails
from cases.rehearsing.turns import LIVES, forget_older, require_turn
from cases.rehearsing.values import MODEL, NOBODY, Rehearsal, RehearsedMail, Wish, rehearsal_of
from config import clock
from config.database import make_engine, to_json, transaction
from config.settings import Settings
from members import store as member_store
from members.errors import MembersError
from state_machines.values import Actor

log = logging.getLogger(__name__)

AT_ONCE = 30
"""So many members are rehearsed while the page waits, a few seconds; more in a process of their own."""
LONGEST = timedelta(minutes=10)
MAILS_A_PAGE = 20
MOST_LINES = 500
_BETWEEN = 1.0
"""Seconds between two notes of how far it is."""
DIED = "It was interrupted; please start it again."


@dataclass(frozen=True)
class Asked:
    """A rehearsal that somebody asked for, as its page shows it."""

    id: int
    wish: Wish
    asked_at: datetime
    state: str
    progress: int
    error: str
    found: Rehearsal | None
    pages: int

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.state == RUNNING


def ask(
    env: Environment, ref: str, wish: Wish, *, run: Callable[..., None] | None = None, actor: Actor,
    now: datetime | None = None,
) -> int:  # fmt: skip
    """Begin a rehearsal of a campaign and return its number; a small one is done when this returns.

    Raises CaseNotFound, NotAllowed, or BadInput for a wish that cannot be met.
    """
    if not actor.roles & MAY_REHEARSE:
        raise NotAllowed("Only coordinators and managers rehearse campaigns.")
    if wish.answers not in (NOBODY, MODEL):
        raise BadInput("Choose whether nobody answers, or as the response model expects.")
    with transaction(env.engine) as conn:
        here = world(conn, env, now)
        sight = sight_of(conn, here, ref, actor)
        if sight.row.closed_at is not None:
            raise BadInput(f"{sight.row.ref} is closed; there is nothing left to rehearse.")
        end_of(env, sight.row.data, wish, here.now)
        require_turn(conn, actor)
        forget_older(conn)
        number = _noted(sight, wish)
        small = _members(sight) <= AT_ONCE
    if run is not None:
        run(env, number, sight.row.ref, wish, actor, here.now)
    elif small:
        carry_out(env, number, sight.row.ref, wish, actor, here.now)
    else:
        _beside(env, number, sight.row.ref, wish, actor, here.now)
    return number


def _members(sight: Sight) -> int:
    asked = sight.conn.execute(select(func.count()).where(sight.of_campaign)).scalar_one()
    return asked or member_store.population_size(sight.conn, sight.row.data.get("population") or {})[0]


def forget_old(env: Environment) -> None:
    """Delete what was found longer ago than rehearsals are kept: it holds names and letters."""
    with transaction(env.engine) as conn:
        forget_older(conn)


def _noted(sight: Sight, wish: Wish) -> int:
    real = clock.utc_now()
    values = {
        "campaign_id": sight.row.id, "asked_by": sight.actor.person, "asked_at": sight.here.now, "begun_at": real,
        "touched_at": real, "wish": _plain(asdict(wish)), "unseen": _unseen(sight), "state": RUNNING,
    }  # fmt: skip
    return int(sight.conn.execute(insert(RehearsalRow).values(values).returning(RehearsalRow.id)).scalar_one())


def _unseen(sight: Sight) -> int:
    return sight.conn.execute(select(func.count()).where(sight.of_campaign, ~sight.openable)).scalar_one()


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return orjson.loads(to_json(value))


# ------------------------------------------------------------------------------------------------------ running it


def carry_out(env: Environment, number: int, ref: str, wish: Wish, actor: Actor, now: datetime) -> None:
    """Run a rehearsal that was asked for, and keep what it found or the sentence that says why it ended."""
    progress = _Progress(env, number, now)
    try:
        found = rehearse(env, ref, wish, goes_on=progress.goes_on, actor=actor, now=now)
    except (CaseError, MembersError, BadInput) as bad:
        _ended(env, number, {"state": FAILED, "error": str(bad)})
        return
    except Exception as broken:
        log.exception("A rehearsal failed.", extra={"case_ref": ref})
        _ended(env, number, {"state": FAILED, "error": f"It ended with an error of Muster ({type(broken).__name__})."})
        return
    _keep(env, number, found)


@dataclass
class _Progress:
    """Notes now and then how far a rehearsal is, and ends one that takes too long."""

    env: Environment
    number: int
    since: datetime
    began: float = 0.0
    noted: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.noted = clock.monotonic()

    def goes_on(self, at: datetime, until: datetime) -> bool:
        """Whether there is time left, asked before each moment of a rehearsal that ends at ``until``."""
        elapsed = clock.monotonic()
        if elapsed - self.noted >= _BETWEEN:
            self.noted = elapsed
            share = (at - self.since) / max(until - self.since, timedelta(minutes=1))
            _ended(self.env, self.number, {"progress": min(99, int(share * 100))})
        return elapsed - self.began < LONGEST.total_seconds()


def _ended(env: Environment, number: int, values: Mapping[str, Any]) -> None:
    with transaction(env.engine) as conn:
        of = update(RehearsalRow).where(RehearsalRow.id == number)
        conn.execute(of.values(touched_at=clock.utc_now(), **values))


def _keep(env: Environment, number: int, whole: Rehearsal) -> None:
    """Keep what was found; of very long lists the beginning, their counts stand in the totals."""
    found = replace(whole, not_sent=whole.not_sent[:MOST_LINES], landings=whole.landings[:MOST_LINES])
    mails = [_plain(asdict(mail)) for mail in found.mails]
    pages = [mails[start : start + MAILS_A_PAGE] for start in range(0, len(mails), MAILS_A_PAGE)]
    with transaction(env.engine) as conn:
        if pages:
            conn.execute(
                insert(RehearsedMails),
                [{"rehearsal_id": number, "page": n, "mails": page} for n, page in enumerate(pages, 1)],
            )
        conn.execute(
            update(RehearsalRow).where(RehearsalRow.id == number).values(
                state=DONE, progress=100, touched_at=clock.utc_now(), result=_plain(found.to_dict(mails=False)),
                pages=len(pages),
            )
        )  # fmt: skip


def _beside(env: Environment, number: int, ref: str, wish: Wish, actor: Actor, now: datetime) -> None:
    """Run it in a process of its own, so that the desk stays quick."""
    url = env.engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    spawn.Process(target=_in_process, args=(env.settings, url, number, ref, wish, actor, now), daemon=True).start()


def _in_process(settings: Settings, url: str, number: int, ref: str, wish: Wish, actor: Actor, now: datetime) -> None:
    policy = load_policy(settings)
    env = Environment(make_engine(url, pool_size=1), settings, policy, working_calendar(settings, policy))
    try:
        carry_out(env, number, ref, wish, actor, now)
    finally:
        env.engine.dispose()


# ----------------------------------------------------------------------------------------------------- looking at it


def asked(
    env: Environment, ref: str, number: int | None = None, *, actor: Actor, now: datetime | None = None
) -> tuple[Any, Asked | None]:
    """Return the row of a campaign, and this person's rehearsal of it: the newest, or the one with a number.

    Raises CaseNotFound for a campaign or a number that is not theirs.
    """
    with looking(env, ref, actor=actor, now=now) as sight:
        row = _row(sight, number)
        if row is None:
            if number is not None:
                raise CaseNotFound(str(number))
            return sight.row, None
        return sight.row, _asked(row, _unseen(sight) if row.state == DONE else 0)


def _row(sight: Sight, number: int | None) -> Any:
    mine = select(RehearsalRow.__table__).where(
        RehearsalRow.campaign_id == sight.row.id, RehearsalRow.asked_by == sight.actor.person
    )
    if number is not None:
        mine = mine.where(RehearsalRow.id == number)
    return sight.conn.execute(mine.order_by(RehearsalRow.id.desc()).limit(1)).one_or_none()


def _asked(row: Any, unseen: int) -> Asked:
    state, error = row.state, row.error or ""
    if state == RUNNING and clock.utc_now() - row.touched_at > LIVES:
        state, error = FAILED, DIED
    if state == DONE and unseen > row.unseen:
        state, error = FAILED, "What you may see of this campaign has changed since; please rehearse it again."
    wish = Wish(**{**row.wish, "until": _day_of(row.wish.get("until"))})
    found = rehearsal_of(row.result) if state == DONE else None
    return Asked(row.id, wish, row.asked_at, state, row.progress, error, found, row.pages if found else 0)


def _day_of(text: str | None) -> Any:
    return date.fromisoformat(text) if text else None


def mails_of(
    env: Environment, ref: str, number: int, page: int, *, actor: Actor, now: datetime | None = None
) -> tuple[Any, Asked, tuple[RehearsedMail, ...]]:
    """Return one page of the mails of a rehearsal, from 1 on. Raises CaseNotFound."""
    with looking(env, ref, actor=actor, now=now) as sight:
        row = _row(sight, number)
        if row is None or row.state != DONE:
            raise CaseNotFound(str(number))
        shown = _asked(row, _unseen(sight))
        if shown.found is None:
            return sight.row, shown, ()
        stored = sight.conn.execute(
            select(RehearsedMails.mails).where(RehearsedMails.rehearsal_id == number, RehearsedMails.page == page)
        ).scalar_one_or_none()  # fmt: skip
    return sight.row, shown, rehearsal_of(row.result, stored or ()).mails
