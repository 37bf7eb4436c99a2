"""Tasks of cases that people close by hand, and those they may not."""

from __future__ import annotations

from typing import Any

import pytest

from cases import audit
from cases.errors import BadInput, CaseNotFound, NotAllowed
from cases.rebuilding import rebuild
from cases.tasks import close_task
from config.database import reading
from state_machines.values import Actor, Role
from tests.campaign_story import NORTH, launched
from tests.cast import Cast
from tests.open_tasks import with_tasks


def closed(cast: Cast, number: int) -> Any:
    return cast.scalar("SELECT closed_by FROM case_tasks WHERE id = :id", id=number)


def test_a_task_is_closed_by_hand_once_and_one_that_a_step_settles_is_not(cast: Cast) -> None:
    story = launched(cast)
    ref, amara = story.response(NORTH[0]), cast.actor("Amara")
    by_post, another, phone = with_tasks(cast, ref, "serve_by_post", "serve_by_post", "phone")

    done = close_task(cast.env, ref.lower(), by_post, note=" Posted to Zoë. ", actor=amara)
    again = close_task(cast.env, ref, by_post, note="Twice", actor=amara)

    assert (done.ref, done.title, done.was_closed, again.was_closed) == (ref, "Task serve_by_post", False, True)
    assert (closed(cast, by_post), closed(cast, another)) == (amara.person, None)
    [event] = cast.rows("SELECT e.details, p.data FROM case_events e JOIN event_personal p"
                        " ON p.case_id = e.case_id AND p.seq = e.seq WHERE e.kind = 'task_done'")  # fmt: skip
    assert event.details == {"task": by_post, "kind": "serve_by_post"}
    assert event.data == {"title": "Task serve_by_post", "note": "Posted to Zoë."}
    with pytest.raises(BadInput, match="“Log a call”"):
        close_task(cast.env, ref, phone, actor=amara)
    for number in (0, phone + 1, 2**70):
        with pytest.raises(BadInput, match="no task with the number"):
            close_task(cast.env, ref, number, actor=amara)
    with pytest.raises(CaseNotFound):
        close_task(cast.env, ref, another, actor=cast.actor("Bo"))
    with pytest.raises(BadInput, match="no task with the number"):
        close_task(cast.env, story.response(NORTH[1]), another, actor=amara)
    assert (closed(cast, another), closed(cast, phone)) == (None, None)
    with reading(cast.env.engine) as conn:
        [case] = cast.rows("SELECT id, state, last_seq FROM cases WHERE ref = :ref", ref=ref)
        kept = rebuild(conn, case.id)
        assert (kept["state"], kept["seq"]) == (case.state, case.last_seq)
        assert audit.verify(conn).ok


def test_who_does_not_work_here_closes_no_task(cast: Cast) -> None:
    ref = launched(cast).response(NORTH[0])
    [number] = with_tasks(cast, ref, "serve_by_post")
    with pytest.raises(NotAllowed):
        close_task(cast.env, ref, number, actor=Actor("member:1", "Åse", frozenset({Role.MEMBER})))
    assert closed(cast, number) is None
