"""The database goes away in the middle of things: nothing is lost, doubled or half done, and all goes on by itself."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cases import commands, evidence
from cases.delivering import deliver
from cases.environment import Environment
from cases.inbox.taking import take
from cases.sweep import sweep_due
from config import postgres
from config.clock import monotonic, utc_now
from config.database import make_engine, transaction
from migrations import upgrade
from notifications.delivery import WINDOW
from notifications.transport import Mail
from tests.campaign_story import planned
from tests.cast import MONDAY, Cast, cast_of
from tests.core.incoming_samples import plain
from tests.faults.kept import broken
from tests.faults.severed import Line, Place, severable
from tests.pages.case_cast import TYPED, a_complaint
from tests.pages.conftest import sign_in
from tests.pages.inspector import Page
from tests.shell.cli_runner import muster_of
from tests.shell.test_sweep import complaints
from web.app import create_app

EVERYWHERE = bool(os.environ.get("MUSTER_SOAK"))
"""Whether to cut at every single request, or at each commit and at some of the others."""


BETWEEN = (b'"case_events"', b"FOR UPDATE")
"""Words of a request at which the line is cut as well."""


@dataclass
class Cut:
    """An installation whose line to the database can be cut."""

    cast: Cast
    line: Line
    env: Environment
    """Through the line; the cast's own goes past it."""


@pytest.fixture
def cut(cast: Cast) -> Iterator[Cut]:
    """The cast, with a line that can be cut."""
    with severable(cast.env.engine) as (line, engine):
        yield Cut(cast, line, replace(cast.env, engine=engine))


def places(line: Line, work: Callable[[], object]) -> list[Place]:
    """Do the work once undisturbed, and return where to cut it."""
    line.count()
    work()
    assert line.commits, "it wrote nothing"
    step = 1 if EVERYWHERE else max(1, line.requests // 6)
    found = [Place(request=n) for n in range(1, line.requests + 1, step)]
    found += [Place(words=words) for words in BETWEEN]
    return found + [Place(commit=n, answer_lost=lost) for n in range(1, line.commits + 1) for lost in (False, True)]


def cut_there(cut: Cut, place: Place, work: Callable[[], object]) -> None:
    """Do the work with the line cut at a place. Whoever is not helped by it hears that the database is gone."""
    cut.line.count(place)
    with suppress(OperationalError):
        work()
    cut.line.count()
    noticed(cut)


def noticed(cut: Cut) -> None:
    """Return when the server has noticed which connections are lost, and has undone what they had begun."""
    wait_until(lambda: not cut.cast.scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' "
        "AND pid <> pg_backend_pid()"
    ), "the server has noticed")  # fmt: skip


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Return as soon as something holds; fail when it does not for long."""
    ends = monotonic() + 60
    while not holds():
        assert monotonic() < ends, f"not so for a minute: {what}"
        sleep(0.005)


def test_a_sweep_that_loses_its_database_anywhere_fires_everything_once_by_the_next_run(cut: Cut) -> None:
    now = MONDAY
    complaints(cut.cast, 3)

    def sweep() -> None:
        sweep_due(cut.env, batch=2, now=now)

    def later() -> None:
        nonlocal now
        now = cut.cast.go_to(now + timedelta(days=8))

    def due() -> Any:
        return cut.cast.scalar("SELECT count(*) FROM cases WHERE due_at <= :now", now=now)

    later()
    for place in places(cut.line, sweep):
        later()
        before = cut.cast.scalar("SELECT count(*) FROM case_events")
        assert due() == 3
        cut_there(cut, place, sweep)
        sweep()
        assert due() == 0
        assert cut.cast.scalar("SELECT count(*) FROM case_events") >= before + 3
        assert cut.cast.scalar("SELECT count(*) FROM cases WHERE parked_at IS NOT NULL") == 0, place
    assert broken(cut.cast) == []


@dataclass
class Post:
    """Takes every mail at once, and remembers it."""

    sent: list[Mail] = field(default_factory=list)
    after: int = 0
    then: Callable[[], None] = lambda: None
    """Called when so many were taken, before we are told."""

    def send(self, mail: Mail) -> None:
        self.sent.append(mail)
        if len(self.sent) == self.after:
            self.then()

    def close(self) -> None:
        """Nothing to end."""


def test_a_delivery_that_loses_its_database_repeats_what_it_had_not_noted_once_and_under_one_number(cut: Cut) -> None:
    complaints(cut.cast, 3)
    now = cut.cast.go_to(MONDAY + timedelta(days=8))
    sweep_due(cut.env, now=now)
    everything = cut.cast.scalar("SELECT count(*) FROM messages")
    post = Post()

    def send() -> None:
        deliver(cut.env, transport=post, now=now)

    def once_more() -> None:
        post.sent.clear()
        with transaction(cut.cast.env.engine) as conn:
            conn.execute(text("UPDATE messages SET state = 'queued', attempts = 0, sent_at = NULL, decided_at = NULL,"
                              " to_email = NULL, not_before = created_at, reason = NULL"))  # fmt: skip

    for place in places(cut.line, send):
        once_more()
        cut_there(cut, place, send)
        taken_over(cut.cast)
        send()
        numbers = Counter(mail.message_id for mail in post.sent)
        assert max(numbers.values()) <= 2, place
        assert sum(n - 1 for n in numbers.values()) <= WINDOW, place
        states = Counter(cut.cast.rows("SELECT state FROM messages"))
        assert states == Counter({("sent",): everything}), place
        assert len(numbers) == everything
        assert broken(cut.cast) == []


def taken_over(cast: Cast) -> None:
    """Let the ten minutes pass after which what a delivery had in hands goes to the next."""
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE messages SET lease_until = :past WHERE state = 'sending'"),
                     {"past": utc_now() - timedelta(minutes=1)})  # fmt: skip


def test_a_launch_that_loses_its_database_is_launched_whole_or_not_at_all(cut: Cut) -> None:
    cut.cast.members(*(f"Member {n}" for n in range(6)))

    def launch(number: int) -> str:
        story = planned(cut.cast, launch="2026-03-02", title=f"Pulse {number}")
        story.fire(story.ref, "approve_plan", "Max", data_protection_checked=True)
        story.fire(story.ref, "skip_pilot", "Max", reason="Asked before")
        return story.ref

    def go(ref: str) -> None:
        commands.fire(cut.env, ref, "launch_anyway", payload={"reason": "No contacts"}, actor=mina)

    mina, first = cut.cast.actor("Mina"), launch(0)
    children = "SELECT count(*) FROM cases c JOIN cases p ON p.id = c.parent_id WHERE p.ref = :ref"
    invited = (
        "SELECT count(*) FROM messages m JOIN cases c ON c.id = m.case_id JOIN cases p ON p.id = c.parent_id "
        "WHERE p.ref = :ref"
    )
    for number, place in enumerate(places(cut.line, lambda: go(first)), 1):
        ref = launch(number)
        cut_there(cut, place, lambda ref=ref: go(ref))  # type: ignore[misc]
        done = cut.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref) != "ready"
        assert cut.cast.scalar(children, ref=ref) == (6 if done else 0), place
        if not done:
            go(ref)
        assert (cut.cast.scalar(children, ref=ref), cut.cast.scalar(invited, ref=ref)) == (6, 6)
    assert broken(cut.cast) == []


def test_mail_and_files_that_come_in_while_the_database_goes_are_taken_once(cut: Cut) -> None:
    complaints(cut.cast, 1)
    ref, amara = cut.cast.scalar("SELECT ref FROM cases"), cut.cast.actor("Amara")
    numbers = iter(range(1000))

    def come_in(number: int) -> None:
        reply = plain("Zoe <zoe@example.org>", f"About {ref}", f"Mail {number}")
        take(cut.env, reply, source="test")
        evidence.add(cut.env, ref, "letter.txt", f"Text {number}".encode(), actor=amara)

    def state() -> tuple[int, int, int]:
        count = "SELECT (SELECT count(*) FROM inbox_messages), (SELECT count(*) FROM evidence_files), count(*)"
        return tuple(cut.cast.rows(f"{count} FROM case_events WHERE kind = 'evidence'")[0])  # type: ignore[return-value]

    for place in places(cut.line, lambda: come_in(next(numbers))):
        number, before = next(numbers), state()
        cut_there(cut, place, lambda number=number: come_in(number))  # type: ignore[misc]
        come_in(number)
        assert state() == tuple(n + 1 for n in before), place
    assert evidence.verify_files(cut.env) == []
    assert broken(cut.cast) == []


def test_whoever_presses_a_button_while_the_database_goes_loses_nothing_and_does_it_once(cut: Cut) -> None:
    amara = sign_in(create_app(cut.env), Cast(cut.env), "Amara")
    typed = {name.replace("__", "."): value for name, value in TYPED.items()}
    shown = amara.get(f"/cases/{a_complaint(cut.cast)}/do/acknowledge").form("#do").values
    filled = [(name, value) for name, value in shown if name not in typed] + list(typed.items())
    done = (
        "SELECT count(*) FROM case_events e JOIN cases c ON c.id = e.case_id "
        "WHERE c.ref = :ref AND e.trigger = 'acknowledge'"
    )

    def press(ref: str, values: Sequence[tuple[str, str]] = filled) -> Page:
        return amara.post(f"/cases/{ref}/do/acknowledge", values, follow=False)

    again = 0
    for place in places(cut.line, lambda: press(a_complaint(cut.cast))):
        ref = a_complaint(cut.cast)
        cut.line.count(place)
        page = press(ref)
        cut.line.count()
        noticed(cut)
        if page.status == 503:
            assert page.response.headers["retry-after"]
            assert "The database" in page.text
            assert "The pool was cold." in str(page.soup), "what was typed is still there"
            page, again = press(ref, page.form("#again").values), again + 1
        assert (page.status, page.response.headers["location"]) == (303, f"/cases/{ref}"), (place, page.text)
        assert cut.cast.scalar(done, ref=ref) == 1, place
    assert again
    assert broken(cut.cast) == []


def test_a_server_that_went_without_a_word_is_noticed_unless_the_address_says_how(cast: Cast) -> None:
    url = cast.env.engine.url
    for engine, idle in ((make_engine(url), "30"), (make_engine(url.update_query_dict({"keepalives_idle": "7"})), "7")):
        with engine.connect() as conn:
            driver = conn.connection.driver_connection
            assert driver is not None
            given = driver.info.get_parameters()
        engine.dispose()
        assert (given["keepalives_idle"], given["tcp_user_timeout"]) == (idle, "60000")


# ---------------------------------------------------------------------------------------- the whole server goes


@dataclass
class Server:
    """A PostgreSQL of these tests' own, which can be stopped as a power cut stops it."""

    data: Path

    def start(self) -> str:
        """Start it, and return the address of its database."""
        return postgres.start(self.data, extra="fsync = off\n")

    def power_cut(self) -> None:
        """Stop it without a word to anybody."""
        done = postgres._control(postgres._server(self.data), "-D", str(self.data), "-m", "immediate", "-w", "stop")
        assert done.returncode == 0, done.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own."""
    found = Server(tmp_path / "postgres")
    yield found
    postgres.stop(found.data)


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Iterator[Cast]:
    """A sandbox with the cast in a server of its own."""
    engine = make_engine(server.start())
    upgrade(engine)
    yield cast_of(engine, tmp_path / "home")
    engine.dispose()


COMMANDS = (("status",), ("check",), ("sweep",), ("deliver",), ("cases", "list"), ("audit", "verify"))


def test_after_a_power_cut_of_the_database_everything_goes_on_by_itself(own: Cast, server: Server) -> None:
    complaints(own, 6)
    app = create_app(own.env)
    amara = sign_in(app, own, "Amara")
    assert amara.http.get("/queue").status_code == 200
    own.go_to(MONDAY + timedelta(days=8))

    # in the middle of a sweep
    with pytest.raises(OperationalError):
        sweep_due(own.env, batch=2, progress=lambda taken: server.power_cut())

    asked = ("/readyz", "/queue", "/sign-in", "/m/abc", "/metrics", "/api/v1/cases")
    down = [amara.http.get(path, headers={"authorization": "Bearer abc"}) for path in asked]
    assert [(answer.status_code, "retry-after" in answer.headers) for answer in down] == [(503, True)] * len(asked)
    assert "The database does not answer." in down[1].text
    assert amara.http.get("/healthz").status_code == 200
    muster = muster_of(own)
    for words in COMMANDS:
        said = muster(*words, code=1)
        assert said.err.startswith("The database does not answer"), (words, said)
        assert "Traceback" not in said.err

    server.start()
    assert (amara.http.get("/readyz").status_code, amara.http.get("/queue").status_code) == (200, 200)
    left = own.scalar("SELECT count(*) FROM cases WHERE due_at <= :now", now=own.env_now)
    assert sweep_due(own.env).due == left < 6, "what was written before stays written"
    fired = "SELECT count(*), count(DISTINCT case_id) FROM case_events WHERE trigger LIKE 'overdue%'"
    assert own.rows(fired) == [(6, 6)]

    # in the middle of a delivery, after the mail server's yes and before our note of it
    post = Post(after=2, then=server.power_cut)
    with pytest.raises(OperationalError):
        deliver(own.env, transport=post)
    server.start()
    deliver(own.env, transport=post)
    taken_over(own)
    deliver(own.env, transport=post)
    numbers = Counter(mail.message_id for mail in post.sent)
    assert Counter(own.rows("SELECT state FROM messages")) == Counter({("sent",): len(numbers)})
    again = {number for number, times in numbers.items() if times > 1}
    assert again <= {mail.message_id for mail in post.sent[:2]}, "what had not been noted, and nothing else"
    assert numbers[post.sent[1].message_id] == max(numbers.values()) == 2
    assert broken(own) == []
