"""A member is reached through its contacts: silence, a bounce, a leaver, "not me" turn to the next; an answer ends it.

Told through the sweep, the delivery and the commands that people use; the letters are those of the outbox.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from cases.contacts_gone import contact_gone
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.errors import TransitionRefused
from cases.own.links import token_of
from cases.own.pages import holder_of
from cases.own.reaching import not_me, promise, reaching
from cases.sweep import sweep_due
from config.database import transaction
from members.contact_commands import contact_left
from members.proposals import accept
from tests.campaign_story import NORTH, SOUTH, Story, launched, planned
from tests.cast import Cast

WOOL, COTTON, LINEN, YARN = NORTH[:4]


def more_contacts(cast: Cast, *names: str) -> None:
    """Give members a deputy and an executive."""
    with transaction(cast.env.engine) as conn:
        for name in names:
            conn.execute(text(
                "INSERT INTO contacts (member_id, position, name, email, role) SELECT id, n, who || ' of ' || name,"
                " lower(who) || id || '@members.example', role FROM members,"
                " (VALUES (2, 'Bea', 'deputy'), (3, 'Cai', 'executive')) AS v(n, who, role) WHERE name = :name"
            ), {"name": name})  # fmt: skip


def start(cast: Cast) -> Story:
    """A campaign that is live, in which four members have three contacts each."""
    story = planned(cast)
    more_contacts(cast, WOOL, COTTON, LINEN, YARN)
    story.fire(story.ref, "approve_plan", "Max", data_protection_checked=True)
    story.fire(story.ref, "skip_pilot", "Max", reason="Asked before")
    story.at("2026-03-09")
    return story


def letters(story: Story, member: str) -> list[tuple[str, str]]:
    """What was sent to a member: kind, and who of it got it."""
    rows = story.cast.rows(
        "SELECT m.kind, m.to_name FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.ref = :ref"
        " AND m.state = 'sent' AND m.contact_id IS NOT NULL ORDER BY m.sent_at, m.id", ref=story.response(member),
    )  # fmt: skip
    return [(row.kind, row.to_name.split(" of ")[0] if " of " in row.to_name else "first") for row in rows]


def holder(story: Story, member: str) -> Any:
    number = story.cast.scalar("SELECT id FROM cases WHERE ref = :ref", ref=story.response(member))
    key = token_of(story.cast.env, "member", number)
    return holder_of(story.cast.env, "member", key, now=story.cast.env_now)


def contact(story: Story, member: str, position: int) -> int:
    return int(story.cast.scalar(
        "SELECT c.id FROM contacts c JOIN members m ON m.id = c.member_id WHERE m.name = :name AND position = :n",
        name=member, n=position,
    ))  # fmt: skip


def says_not_me(story: Story, member: str, position: int, **named: str) -> bool:
    who = holder(story, member)
    seen = who.row.last_seq
    return not_me(story.cast.env, who, contact(story, member, position), named, seen=seen, now=story.cast.env_now)


def facts(story: Story, member: str) -> dict[str, Any]:
    return dict(story.cast.scalar("SELECT data FROM cases WHERE ref = :ref", ref=story.response(member)))


def live_through(story: Story, *days: str) -> None:
    for day in days:
        story.at(day)


def test_the_ladder_goes_from_contact_to_contact_and_the_first_answer_of_anybody_stops_all(cast: Cast) -> None:
    story = start(cast)
    more = [("survey_invitation", "first"), ("survey_reminder_unopened", "first"), ("survey_reminder_unopened", "Bea")]

    # silence: Wool is turned to Bea after two weeks; the first contact hears of it
    live_through(story, "2026-03-16", "2026-03-23")
    assert letters(story, WOOL) == [*more, ("reach_handed_on", "Bea"), ("reach_also_asked", "first")]
    # "not me": Cotton's Bea passes it on at once
    assert says_not_me(story, COTTON, 2)
    # a leaver: Linen's Bea has left; the next is written to at once, and the register said so first
    member_id = int(cast.scalar("SELECT id FROM members WHERE name = :n", n=LINEN))
    linen = cast.scalar("SELECT ref FROM members WHERE id = :n", n=member_id)
    contact_left(cast.env.engine, linen, contact(story, LINEN, 2), actor=cast.actor("Amara"), now=cast.env_now)
    gone = {"now": cast.env_now}
    assert contact_gone(cast.env, member_id, contact(story, LINEN, 2), **gone) == 1
    assert contact_gone(cast.env, member_id, contact(story, LINEN, 2), **gone) == 0
    deliver(cast.env, transport=KeepingTransport({}))
    assert letters(story, COTTON)[-1] == letters(story, LINEN)[-1] == ("reach_handed_on", "Cai")
    # an answer, whoever gives it, stops everything for everybody at that member
    story.answers(WOOL)
    before = len(letters(story, WOOL))
    live_through(story, "2026-03-30", "2026-04-06", "2026-04-13", "2026-04-21")
    assert letters(story, WOOL)[before:] == [("survey_receipt", "Bea")]
    assert ("survey_reminder_second", "Cai") in letters(story, COTTON)
    # a member with one contact is written to there, and nowhere else
    assert {to for _, to in letters(story, SOUTH[0])} == {"first"}


def test_a_bounce_turns_to_the_next_contact_in_the_same_delivery_and_is_proof(cast: Cast) -> None:
    story = start(cast)
    number = cast.scalar("SELECT id FROM members WHERE name = :n", n=YARN)
    story.at("2026-03-16", deliver_mail=False)
    deliver(cast.env, transport=KeepingTransport({f"m{number}@members.example": cast.env_now}, cast.env_now))

    assert letters(story, YARN)[1:] == [("survey_reminder_unopened", "Bea")]
    assert facts(story, YARN)["bounces"] == 1
    story.at("2026-03-30")
    assert letters(story, YARN)[-1][1] == "Bea"


def test_who_is_named_is_never_written_to_and_who_says_no_never_again(cast: Cast) -> None:
    story = start(cast)

    assert says_not_me(story, WOOL, 1, name="Zoë", email="zoe@elsewhere.example")
    with pytest.raises(TransitionRefused):
        says_not_me(story, WOOL, 1, name="Zoë", email="zoe@elsewhere.example")
    for position in (2, 3):
        says_not_me(story, WOOL, position)
    live_through(story, "2026-03-10", "2026-03-16", "2026-03-30")

    assert cast.scalar("SELECT count(*) FROM messages WHERE to_email = 'zoe@elsewhere.example'") == 0
    assert [to for _, to in letters(story, WOOL)] == ["first"]
    assert story.cast.scalar("SELECT state FROM cases WHERE ref = :r", r=story.response(WOOL)) == "bounced"
    assert cast.scalar("SELECT count(*) FROM member_proposals") == 3
    assert not reaching(cast.env, holder(story, WOOL), now=cast.env_now).contacts


def test_who_is_confirmed_takes_the_place_of_who_said_no_and_is_written_to(cast: Cast) -> None:
    story = start(cast)
    says_not_me(story, WOOL, 1, name="Zoë", email="zoe@members.example")
    [(number, version)] = cast.rows("SELECT p.id, m.version FROM member_proposals p JOIN members m ON m.id = member_id")
    accept(cast.env.engine, number, seen_version=version, actor=cast.actor("Amara"), now=cast.env_now)
    story.at("2026-03-16")

    assert [to for _, to in letters(story, WOOL)] == ["first", "first", "Bea"]
    names = cast.rows("SELECT to_name FROM messages WHERE kind = 'survey_reminder_unopened' AND to_name = 'Zoë'")
    assert len(names) == 1


def test_a_promise_is_kept_in_mind_until_its_day_and_then_asked_about(cast: Cast) -> None:
    story = start(cast)
    who = holder(story, WOOL)
    for _ in (1, 2):
        promise(cast.env, who, date(2026, 3, 20), seen=who.row.last_seq, now=cast.env_now)
    live_through(story, "2026-03-16", "2026-03-20", "2026-03-23")

    assert [kind for kind, _ in letters(story, WOOL)][1:] == [
        "reach_promise_today", "reach_handed_on", "reach_also_asked",
    ]  # fmt: skip
    ref = story.response(WOOL)
    tasks = "SELECT title FROM case_tasks t JOIN cases c ON c.id = t.case_id WHERE c.ref = :ref AND t.closed_at IS NULL"
    assert [row.title for row in cast.rows(tasks, ref=ref)] == [
        f"Ring {WOOL}: the answer that was promised for yesterday has not come"
    ]
    story.answers(WOOL)
    assert cast.rows(tasks, ref=ref) == []


def test_nobody_is_unreachable_without_proof_and_two_people_and_a_late_answer_still_counts(cast: Cast) -> None:
    story = launched(cast)
    ref = story.response(WOOL)
    with pytest.raises(TransitionRefused, match="One bounce is on record; two more calls and one more letter") as no:
        story.fire(ref, "bounce", "Amara", status="5.1.1")
        story.fire(ref, "propose_unreachable", "Amara", reason="Nobody is there.")
    assert no.value.refused.rule == "evidence_suffices"
    for outcome in ("not_reached", "voicemail"):
        story.fire(ref, "log_call", "Amara", outcome=outcome)
    story.fire(ref, "log_letter", "Amara", posted_on="2026-03-09", address="1 Mill Lane, Leeds", tracking="RB 12")
    assert story.fire(ref, "propose_unreachable", "Amara", reason="Nobody is there.") == "unreachable_asked"
    sweep_due(cast.env)
    assert story.fire(ref, "confirm_unreachable", "Mina", reason="All was tried.") == "unreachable"
    assert "Mill Lane" not in str(cast.scalar(
        "SELECT string_agg(details::text, '') FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.ref = :r",
        r=ref,
    ))  # fmt: skip
    story.answers(WOOL)
    assert cast.scalar("SELECT state FROM cases WHERE ref = :r", r=ref) == "dq_review"
