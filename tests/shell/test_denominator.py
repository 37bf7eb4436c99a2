"""The number a campaign is measured against: frozen at the launch, changed by a manager alone, always accounted for."""

from __future__ import annotations

import pytest

from cases.campaigning.denominator import denominator
from cases.campaigning.denominator_file import denominator_rows
from cases.campaigning.register_changes import ask_who_counts
from cases.errors import BadInput, CaseNotFound, TransitionRefused
from cases.handing_over import follow_merges
from members.member_commands import merge_members
from tests.campaign_story import NORTH, SOUTH, Story, launched
from tests.cast import MONDAY, Cast


def ref_of(cast: Cast, name: str) -> str:
    return str(cast.scalar("SELECT ref FROM members WHERE name = :name", name=name))


def state_of(story: Story, name: str) -> str:
    return str(story.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=story.response(name)))


def leave_out(story: Story, name: str, who: str = "Mina", cause: str = "duplicate") -> None:
    story.fire(story.ref, "leave_out", who, member=ref_of(story.cast, name), cause=cause, note="Looked at twice.")


def test_the_denominator_says_who_was_added_and_left_out_by_whom_and_why(cast: Cast) -> None:
    story = launched(cast)
    cast.members("Zebra Wool", tier="General")
    story.at("2026-03-16")
    story.fire(story.ref, "add_member", "Amara", member=ref_of(cast, "Zebra Wool"), reason="Joined on Monday.")
    leave_out(story, NORTH[0])
    leave_out(story, SOUTH[0], cause="merged")
    leave_out(story, "Zebra Wool", cause="never_eligible")
    story.answers(NORTH[1])
    story.fire(story.ref, "take_back_in", "Max", member=ref_of(cast, SOUTH[0]), reason="It was another one.")

    found = denominator(cast.env, story.ref, actor=cast.actor("Mina"))
    everybody = len(NORTH) + len(SOUTH)

    assert (found.at_launch, found.added, found.left_out, found.eligible) == (everybody, 1, 2, everybody - 1)
    assert found.balanced and dict(found.groups)["Answer in"] == 1
    assert [(each.member, each.by, each.why) for each in found.left_out_named] == [
        (NORTH[0], "Mina", "Is in the register twice: Looked at twice."),
        ("Zebra Wool", "Mina", "Was never meant by the rule of the campaign: Looked at twice."),
    ]
    assert [(each.member, each.by) for each in found.added_named] == [("Zebra Wool", "Amara")]
    assert state_of(story, SOUTH[0]) == "invited"
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'reach_left_out'") == 1

    lines = {row[1]: row for row in denominator_rows(cast.env, story.ref, actor=cast.actor("Mina"))}
    assert lines[NORTH[0]][2:4] == ("no", "Is in the register twice: Looked at twice.")
    assert (lines[SOUTH[0]][2:4], lines[SOUTH[0]][5]) == (("yes", "taken back in: It was another one."), "Max")


def test_whom_nobody_may_leave_out(cast: Cast) -> None:
    story = launched(cast)
    story.answers(NORTH[2])
    story.complete(NORTH[2])
    cast.members("Outside Ltd", status="prospect")

    for name, sentence in ((NORTH[2], "settled"), ("Outside Ltd", "not asked")):
        with pytest.raises(BadInput, match=sentence):
            leave_out(story, name)
    leave_out(story, NORTH[0])
    with pytest.raises(BadInput, match="left out already"):
        leave_out(story, NORTH[0])
    with pytest.raises(BadInput, match="take it back in"):
        story.fire(story.ref, "add_member", "Mina", member=ref_of(cast, NORTH[0]), reason="Again.")
    with pytest.raises(TransitionRefused):
        leave_out(story, NORTH[1], who="Amara")
    assert denominator(cast.env, story.ref, actor=cast.actor("Mina")).balanced


def test_who_was_left_out_counts_neither_way_at_the_end(cast: Cast) -> None:
    story = launched(cast)
    for name in (*NORTH[1:], *SOUTH):
        story.answers(name)
        story.complete(name)
    leave_out(story, NORTH[0])
    story.at("2026-04-21")

    assert cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=story.ref) != "overdue_chase"
    assert cast.scalar("SELECT data ->> 'eligible' FROM cases WHERE ref = :ref", ref=story.ref) == str(
        len(NORTH) + len(SOUTH) - 1
    )


def test_who_is_merged_stays_counted_until_a_manager_says_and_the_coordinator_is_asked_once(cast: Cast) -> None:
    story = launched(cast)
    merge_members(cast.env.engine, ref_of(cast, NORTH[1]), ref_of(cast, NORTH[0]), actor=cast.actor("Mina"), now=MONDAY)
    now = cast.env_now
    assert (follow_merges(cast.env, now=now), ask_who_counts(cast.env, now=now)) == (0, 1)
    assert ask_who_counts(cast.env, now=now) == 0

    titles = cast.rows("SELECT title FROM case_tasks WHERE kind = 'who_counts'")
    assert [row.title for row in titles] == [
        f"{NORTH[0]} has become part of another member: a manager says whether it still counts in the campaign"
    ]
    before = denominator(cast.env, story.ref, actor=cast.actor("Mina"))
    assert before.balanced and [each.member for each in before.gone] == [NORTH[0]]
    leave_out(story, NORTH[0], cause="merged")
    after = denominator(cast.env, story.ref, actor=cast.actor("Mina"))
    assert after.balanced and after.gone == [] and state_of(story, NORTH[1]) == "invited"


def test_a_coordinator_is_told_of_their_own_teams_members_alone(cast: Cast) -> None:
    story = launched(cast)
    leave_out(story, NORTH[0])
    leave_out(story, SOUTH[0])
    cast.members("Outside Ltd", status="prospect", team="South")

    found = denominator(cast.env, story.ref, actor=cast.actor("Amara"))
    assert (found.at_launch, found.left_out, found.eligible) == (len(NORTH), 1, len(NORTH) - 1)
    assert found.balanced and [each.member for each in found.left_out_named] == [NORTH[0]]
    names = {row[1] for row in denominator_rows(cast.env, story.ref, actor=cast.actor("Amara"))}
    assert not names & set(SOUTH)
    with pytest.raises(CaseNotFound):
        denominator(cast.env, "SC-2026-999999", actor=cast.actor("Amara"))
