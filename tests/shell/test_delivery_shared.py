"""A long outbox is delivered over several connections at once, and each message leaves once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases import delivering
from cases.delivering import deliver
from config.database import Engine, transaction
from notifications import outbox
from notifications.values import NewMessage
from tests.cast import Cast, cast_of
from tests.post import Letterbox, letterbox

NOTHING = {
    **{name: {"total": 0, "confidential": 0, "cases": []} for name in ("decisions", "overdue", "escalated", "parked")},
    "campaigns": [], "messages": {"failed": 0, "waiting": 0},
}  # fmt: skip


@pytest.fixture
def box() -> Iterator[Letterbox]:
    """A mail server."""
    with letterbox() as found:
        yield found


@pytest.fixture
def office(engine: Engine, tmp_path: Path, box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """An organisation with a mail server, and thirty digests to leave in batches of three."""
    monkeypatch.setattr(delivering, "BATCH", 3)
    cast = cast_of(engine, tmp_path, box.url)
    mina = cast.scalar("SELECT id FROM staff WHERE name = 'Mina'")
    letters = [NewMessage(f"digest:{n}", "manager_digest", f"staff:{mina}", data=NOTHING) for n in range(30)]
    now = cast.env_now
    with transaction(engine) as conn:
        outbox.enqueue(conn, letters, now=now)
    return cast


def connecting(cast: Cast, connections: int) -> Any:
    """The environment with so many connections to the mail server."""
    mail = cast.env.policy.mail.model_copy(update={"connections": connections})
    return replace(cast.env, policy=cast.env.policy.model_copy(update={"mail": mail}))


def states(cast: Cast) -> dict[str, int]:
    """How many messages are in which state."""
    return {row.state: row.n for row in cast.rows("SELECT state, count(*) AS n FROM messages GROUP BY state")}


@pytest.mark.parametrize("connections", [1, 3])
def test_over_several_connections_each_message_leaves_once_and_all_are_counted(
    office: Cast, box: Letterbox, connections: int
) -> None:
    report = deliver(connecting(office, connections))

    assert (report.sent, report.failed, report.stopped) == (30, 0, None)
    assert states(office) == {"sent": 30}
    assert set(Counter(str(message["Message-ID"]) for _, message in box.mails).values()) == {1}
    assert len(box.mails) == 30


def test_a_connection_that_fails_leaves_its_work_to_the_others(
    office: Cast, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no thread, no socket, no luck")

    monkeypatch.setattr(delivering, "_lend_a_hand", broken)

    assert deliver(connecting(office, 3)).sent == 30
    assert len(box.mails) == 30


def test_when_the_delivery_itself_fails_the_others_end_and_give_back_what_they_had(
    office: Cast, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(settled: int) -> None:
        raise OSError("nobody listens any more")

    with pytest.raises(OSError, match="nobody listens"):
        deliver(connecting(office, 2), progress=failing)

    assert set(states(office)) <= {"sent", "queued"}, "nothing stays claimed"
    assert states(office)["sent"] == len(box.mails)
    left = 30 - len(box.mails)
    assert deliver(office.env).sent == left


def test_a_short_outbox_takes_one_connection(office: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "BATCH", 30)
    monkeypatch.setattr(delivering, "_lend_a_hand", None)

    assert deliver(connecting(office, 8)).sent == 30
