"""What the pages about campaigns are made from: counts, curve, members, reminders, review, results, files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from cases import campaigns
from cases.answers import AnswersInvalid, sample_for
from cases.audit import verify
from cases.campaigning import contacts as campaign_contacts
from cases.campaigning import nudging as campaign_nudging
from cases.campaigning.answering import take_down
from cases.campaigning.export import answer_rows, member_rows
from cases.campaigning.members import Narrowed, members_page
from cases.campaigning.overview import ONWARD, campaign_list
from cases.campaigning.page import campaign_page
from cases.campaigning.population import values_of, who_is_asked
from cases.campaigning.results import results
from cases.campaigning.review import review
from cases.campaigns import KINDS
from cases.errors import BadInput, CaseNotFound, NotAllowed
from cases.promises import broken_promises
from config.database import reading, transaction
from state_machines.registry import process_named
from state_machines.values import SYSTEM
from tests.campaign_story import DEADLINE, LAUNCH, NORTH, SOUTH, Story, launched, planned
from tests.cast import Cast


@pytest.fixture
def story(cast: Cast) -> Story:
    """A live campaign on the day of its launch."""
    return launched(cast)


@contextmanager
def statements(cast: Cast) -> Iterator[list[str]]:
    """Collect what the database is asked."""
    found: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(cast.env.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(cast.env.engine, "before_cursor_execute", note)


def page_of(story: Story, who: str = "Mina") -> Any:
    return campaign_page(story.cast.env, story.ref, actor=story.cast.actor(who))


def members_of(story: Story, who: str = "Mina", **narrow: Any) -> Any:
    return members_page(story.cast.env, story.ref, Narrowed(**narrow), actor=story.cast.actor(who))


# ------------------------------------------------------------------------------------------------ how far it is


def test_answered_exempt_unreachable_and_outstanding_are_counted_apart(story: Story) -> None:
    story.answers(NORTH[0])
    story.answers(NORTH[1])
    story.complete(NORTH[1])
    story.fire(story.response(NORTH[2]), "request_exemption", "Amara", exemption="under_12_months")
    story.fire(story.response(NORTH[2]), "approve_exemption", "Mina", reason="Joined in January")
    story.fire(story.response(NORTH[3]), "bounce", "Amara", status="5.1.1")
    found = page_of(story).counts
    numbers = (found.eligible, found.responded, found.complete, found.exempt, found.unreachable, found.outstanding)
    assert numbers == (21, 2, 1, 1, 1, 17)
    assert (found.accounted, found.settled, found.is_100) == (3, 2, False)


def test_a_coordinator_is_told_of_their_own_teams_members_alone_and_a_manager_of_all(story: Story) -> None:
    story.answers(NORTH[0])
    story.answers(SOUTH[0])
    of_amara, of_bo, of_mina = (page_of(story, who) for who in ("Amara", "Bo", "Mina"))
    assert [p.counts.eligible for p in (of_amara, of_bo, of_mina)] == [len(NORTH), len(SOUTH), len(NORTH) + len(SOUTH)]
    assert [p.counts.responded for p in (of_amara, of_bo, of_mina)] == [1, 1, 2]
    assert not {line.member for line in members_of(story, "Bo").lines} & set(NORTH)
    assert of_bo.counts.teams == {"South": len(SOUTH)}
    assert of_bo.curve.asked == len(SOUTH)
    env, bo, mina = story.cast.env, story.cast.actor("Bo"), story.cast.actor("Mina")
    assert [campaigns.status(env, story.ref, actor=each).eligible for each in (bo, mina)] == [len(SOUTH), 21]
    assert campaigns.status(env, story.ref, actor=bo).by_state.keys() == of_bo.counts.by_state.keys()


def test_a_member_whom_a_manager_may_not_open_is_counted_and_not_named(story: Story) -> None:
    ref = story.response(NORTH[0])
    with transaction(story.cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET restricted_to = '{}' WHERE ref = :ref"), {"ref": ref})
    found = page_of(story).counts
    assert (found.eligible, found.hidden) == (21, 1)
    assert NORTH[0] not in {line.member for line in members_of(story).lines}


def test_a_stranger_is_told_there_is_no_such_campaign(cast: Cast) -> None:
    story = planned(cast, "Amara")
    with pytest.raises(CaseNotFound):
        page_of(story, "Bo")
    assert campaign_list(cast.env, actor=cast.actor("Bo")).lines == []


def test_the_page_asks_as_many_statements_for_many_members_as_for_few(cast: Cast) -> None:
    story = launched(cast)
    with statements(cast) as few:
        page_of(story)
    first = story.response(NORTH[0])
    with transaction(cast.env.engine) as conn:
        columns = [row[0] for row in conn.execute(text(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'cases' "
            "AND column_name NOT IN ('id', 'ref')"
        ))]  # fmt: skip
        conn.execute(text(
            f"INSERT INTO cases (ref, {', '.join(columns)}) SELECT 'XX-' || n, {', '.join(columns)} "
            "FROM cases, generate_series(1, 3000) n WHERE ref = :ref"
        ), {"ref": first})  # fmt: skip
    with statements(cast) as many:
        found = page_of(story)
    assert found.counts.eligible == 3021
    assert len(many) == len(few)


# ---------------------------------------------------------------------------------------------------- the curve


def test_the_curve_adds_up_to_the_counts_of_today_and_says_what_the_plan_expected(story: Story) -> None:
    story.answers(NORTH[0])
    story.at(LAUNCH + timedelta(days=7))
    story.answers(NORTH[1])
    story.answers(NORTH[2])
    curve = page_of(story).curve
    assert [(p.number, p.responded) for p in curve.points if p.number in (0, 6, 7)] == [(0, 1), (6, 1), (7, 3)]
    assert curve.points[-1].expected == 21 * 7 // 42
    assert [m.title for m in curve.markers if m.past] == ["First reminder"]
    assert (curve.launch, curve.deadline, curve.last_number) == (LAUNCH, DEADLINE, 42)
    assert curve.forecast == 3 + 2 * 35 // 7, "two in a week, and five weeks are left"
    story.at(LAUNCH + timedelta(days=20))
    assert page_of(story).curve.forecast == 3, "nobody answered lately"


def test_before_the_launch_there_is_no_curve_and_the_plan_says_how_many_would_be_asked(cast: Cast) -> None:
    page = page_of(planned(cast))
    assert page.curve is None
    assert (page.counts.launched, page.counts.eligible, page.counts.outstanding) == (False, 21, 0)
    assert [step.title for step in page.checklist if not step.done] == [
        "The plan is approved", "It is fixed which questions are asked", "A pilot is accepted, or skipped",
        "The launch",
    ]  # fmt: skip
    assert [step.title for step in page.checklist if step.done] == ["21 of 21 members have a contact that works"]
    of_amara = page_of(planned(cast, "Amara"), "Amara").checklist
    assert not [step for step in of_amara if "contact" in step.title], "that would tell her of other teams' members"


# -------------------------------------------------------------------------------------------------- the members


def test_pages_of_members_follow_each_other_without_a_gap_and_lead_back(story: Story) -> None:
    def page(**place: str) -> Any:
        return members_page(story.cast.env, story.ref, Narrowed(), size=8, actor=story.cast.actor("Mina"), **place)

    first = page()
    second = page(after=first.after)
    third = page(after=second.after)
    names = [line.member for page in (first, second, third) for line in page.lines]
    assert sorted(names) == sorted((*NORTH, *SOUTH))
    assert (first.before, third.after, first.total) == (None, None, 21)
    assert [line.ref for line in page(before=third.before).lines] == [line.ref for line in second.lines]
    assert page(before=second.before).before is None


def test_members_are_narrowed_by_state_team_tier_words_and_silence(story: Story) -> None:
    story.answers(NORTH[0])
    assert [line.member for line in members_of(story, state="to_review").lines] == [NORTH[0]]
    assert members_of(story, state="awaited").total == 20
    assert members_of(story, team="South").total == len(SOUTH)
    assert members_of(story, tier="Associate").total == len(SOUTH)
    assert [line.member for line in members_of(story, words="nguyen").lines] == ["Nguyễn Cotton"]
    story.at(LAUNCH + timedelta(days=3))
    story.fire(story.response(NORTH[1]), "log_call", "Amara", outcome="reached")
    silent = members_of(story, silent_since=LAUNCH + timedelta(days=2))
    assert silent.total == 19 and NORTH[1] not in {line.member for line in silent.lines}
    assert members_of(story, silent_since=LAUNCH).total == 0, "they were asked on that day"


def test_a_member_is_shown_with_who_is_written_to_what_came_last_and_what_comes_next(story: Story) -> None:
    line = next(one for one in members_of(story).lines if one.member == NORTH[0])
    assert line.contact.email.endswith("@members.example")
    assert line.last.title == "Invitation"
    assert line.next.title == "First reminder, form not opened"
    assert story.cast.env.calendar.local_date(line.next.at) == LAUNCH + timedelta(days=7)


def test_who_has_not_opened_a_week_before_the_deadline_is_at_risk_and_who_answered_is_not(story: Story) -> None:
    story.answers(NORTH[0])
    assert page_of(story).at_risk_total == 0
    story.fire(story.response(NORTH[3]), "bounce", "Amara", status="5.1.1")
    assert [(one.member, one.risks) for one in page_of(story).at_risk] == [(NORTH[3], ("Mail comes back",))]
    story.at(DEADLINE - timedelta(days=7))
    page = page_of(story)
    assert (page.at_risk_total, len(page.at_risk)) == (20, 10)
    assert page.at_risk[0].member == NORTH[3], "whom nobody can reach comes first"
    assert page.at_risk[1].risks == ("Not opened, 7 days left",)


# ------------------------------------------------------------------------------------------- what is done today


def test_what_is_to_be_done_today_is_each_ones_own_first_and_is_the_list_it_leads_to(story: Story) -> None:
    story.fire(story.response(NORTH[0]), "bounce", "Amara", status="5.1.1")
    story.answers(NORTH[1])
    story.answers(SOUTH[0])
    story.fire(story.response(NORTH[2]), "request_exemption", "Amara", exemption="under_12_months")
    story.days(DEADLINE + timedelta(days=1), DEADLINE + timedelta(days=8))
    rung, found, reviewed, decided = page_of(story, "Amara").today
    assert (rung.title, found.title) == ("Ring 11 members", "Find a contact that works for 1 member")
    assert (reviewed.title, reviewed.late) == ("Review 1 answer", 1)
    assert (decided.title, decided.yours, decided.who) == (
        "Decide about 1 member: exemption requested", False, "managers",
    )  # fmt: skip
    assert len(rung.named) == 3 and {one.member for one in rung.named} < set(NORTH[3:])
    for todo in (rung, decided):
        assert members_of(story, "Amara", state=todo.narrow).total == todo.number
    of_mina = page_of(story, "Mina").today
    assert of_mina[0].title == decided.title and of_mina[0].yours
    assert ["Review 2 answers", False] in [[todo.title, todo.yours] for todo in of_mina]
    story.fire(story.response(NORTH[3]), "log_call", "Amara", outcome="reached")
    assert page_of(story, "Amara").today[0].title == "Ring 10 members"


def test_a_list_that_is_longer_than_one_go_is_reminded_of_to_its_end(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, amara = story.cast.env, story.cast.actor("Amara")
    monkeypatch.setattr(campaign_nudging, "MOST", 5)
    story.answers(NORTH[0])
    story.at(LAUNCH + timedelta(days=2))
    beyond = []
    for _ in range(3):
        shown = campaign_nudging.preview(env, story.ref, narrow=Narrowed(), actor=amara)
        assert shown.going, "who was reminded already does not stand before who was not"
        beyond.append((len(shown.going), shown.left_out, shown.left_due))
        campaign_nudging.nudge(env, story.ref, [one.ref for one in shown.going], actor=amara)
    assert beyond == [(5, 9, 8), (5, 9, 3), (3, 9, 0)]


@pytest.mark.parametrize("kind", sorted(KINDS.values()))
def test_every_open_state_of_a_campaign_has_a_step_that_takes_it_on(kind: str) -> None:
    process = process_named(kind)
    for state in process.states:
        steps = {step.trigger for step in process.from_state.get(state.name, ())}
        onward = ONWARD.get(state.name, frozenset())
        assert onward <= steps and (onward or state.final), f"{state.name}: {sorted(onward - steps)}"


# -------------------------------------------------------------------------------------------------- the closing


def test_the_checklist_names_what_stands_in_the_way_until_nothing_does(story: Story) -> None:
    for name in (*NORTH[1:], *SOUTH):
        story.answers(name)
        story.complete(name)
    left = {step.title: step.left for step in page_of(story).checklist if not step.done}
    assert left["Everybody who can be reached has answered"] == 1
    story.answers(NORTH[0])
    assert {step.title: step.left for step in page_of(story).checklist if not step.done}[
        "Every answer is reviewed"
    ] == 1
    story.complete(NORTH[0])
    found = page_of(story)
    assert found.counts.is_100
    assert [step.title for step in found.checklist if not step.done] == [
        "The report is submitted", "The report is approved by somebody else", "The campaign is closed",
    ]  # fmt: skip


def test_a_coordinator_of_one_team_does_not_learn_the_numbers_of_others_from_a_refusal(story: Story) -> None:
    of_bo = {move.trigger: move for move in page_of(story, "Bo").moves}
    assert of_bo["everyone_in"].why_not == "Not every member of every team is that far yet."


# ------------------------------------------------------------------------------------------------- the reminders


def test_a_member_who_answered_after_the_preview_is_not_reminded_and_the_others_are(story: Story) -> None:
    env, amara = story.cast.env, story.cast.actor("Amara")
    story.at(LAUNCH + timedelta(days=2))
    refs = [story.response(name) for name in NORTH[:3]]
    shown = campaign_nudging.preview(env, story.ref, refs, actor=amara)
    assert [one.member for one in shown.going] == list(NORTH[:3])
    story.answers(NORTH[0])
    done = campaign_nudging.nudge(env, story.ref, refs, actor=amara)
    assert [one.member for one in done.going] == list(NORTH[1:3])
    assert [(one.member, one.why_not) for one in done.staying] == [
        (NORTH[0], "No reminder is due: data-quality review.")
    ]  # fmt: skip
    queued = story.cast.rows("SELECT DISTINCT case_id FROM messages WHERE kind = 'survey_nudge'")
    assert len(queued) == 2


def test_a_reminder_by_hand_counts_and_is_not_given_twice_on_one_day_nor_the_day_after(story: Story) -> None:
    env, amara, ref = story.cast.env, story.cast.actor("Amara"), story.response(NORTH[0])
    story.at(LAUNCH + timedelta(days=2))
    campaign_nudging.nudge(env, story.ref, [ref], actor=amara)
    again = campaign_nudging.nudge(env, story.ref, [ref], actor=amara)
    assert "today already" in again.staying[0].why_not
    story.at(LAUNCH + timedelta(days=3))
    assert campaign_nudging.preview(env, story.ref, [ref], actor=amara).staying[0].why_not == "Written to yesterday."
    assert len(campaign_nudging.preview(env, story.ref, [ref], insist=True, actor=amara).going) == 1
    assert story.cast.scalar("SELECT data -> 'reminders' FROM cases WHERE ref = :ref", ref=ref) == 1


def test_an_address_that_had_enough_messages_today_is_left_in_peace(story: Story) -> None:
    env, amara, ref = story.cast.env, story.cast.actor("Amara"), story.response(NORTH[0])
    story.at(LAUNCH + timedelta(days=2))
    now = env.now()
    with transaction(env.engine) as conn:
        conn.execute(text(
            "INSERT INTO messages (key, kind, audience, purpose, state, data, not_before, to_email, created_at, "
            "sent_at) SELECT 'x' || n, 'own_link', 'member', 'service', 'sent', '{}', :now, c.email, :now, :now "
            "FROM generate_series(1, 6) n, contacts c JOIN cases r ON r.member_id = c.member_id WHERE r.ref = :ref"
        ), {"now": now, "ref": ref})  # fmt: skip
    [left] = campaign_nudging.nudge(env, story.ref, [ref], actor=amara).staying
    assert left.why_not.startswith("This address has had as many messages")


def test_everybody_of_a_narrowed_list_is_chosen_and_never_a_member_of_another_team(story: Story) -> None:
    env, bo = story.cast.env, story.cast.actor("Bo")
    story.at(LAUNCH + timedelta(days=2))
    shown = campaign_nudging.preview(env, story.ref, narrow=Narrowed(state="awaited"), actor=bo)
    assert {one.member for one in shown.going} == set(SOUTH)
    nobody = campaign_nudging.nudge(env, story.ref, [story.response(NORTH[0])], actor=bo)
    assert (nobody.going, nobody.staying) == ([], [])
    with pytest.raises(BadInput, match="Nobody was chosen"):
        campaign_nudging.nudge(env, story.ref, [], actor=bo)


# --------------------------------------------------------------------------------------------- links and contacts


def test_a_contact_that_is_named_is_written_to_first_from_now_on(story: Story) -> None:
    env, amara = story.cast.env, story.cast.actor("Amara")
    ref = story.response(NORTH[0])
    campaign_contacts.name_contact(
        env, story.ref, ref, {"name": "Zoë Ångström", "email": "zoe@akerlund.example"}, actor=amara
    )
    line = next(one for one in members_of(story).lines if one.ref == ref)
    assert (line.contact.name, line.others) == ("Zoë Ångström", 1)
    with pytest.raises(CaseNotFound):
        campaign_contacts.name_contact(env, story.ref, ref, {"email": "bo@x.example"}, actor=story.cast.actor("Bo"))


def test_a_renewed_link_makes_the_old_ones_worthless_and_is_sent_where_an_answer_is_awaited(story: Story) -> None:
    env, amara, ref = story.cast.env, story.cast.actor("Amara"), story.response(NORTH[0])
    assert campaign_contacts.renew_link(env, story.ref, ref, "Forwarded outside", actor=amara)
    assert story.cast.scalar("SELECT epoch FROM link_epochs") == 1
    assert story.cast.scalar("SELECT count(*) FROM messages WHERE kind = 'survey_invitation' AND state = 'queued'") == 1
    story.at(LAUNCH, 10)
    bodies = story.cast.rows(
        "SELECT body_text FROM messages m JOIN cases c ON c.id = m.case_id "
        "WHERE m.kind = 'survey_invitation' AND m.state = 'sent' AND c.ref = :ref", ref=ref,
    )  # fmt: skip
    assert len({row.body_text for row in bodies}) == 2, "the second letter carries another link"
    story.answers(NORTH[1])
    assert not campaign_contacts.renew_link(env, story.ref, story.response(NORTH[1]), "The same", actor=amara)
    with pytest.raises(NotAllowed):
        campaign_contacts.renew_link(env, story.ref, ref, "Why not", actor=story.cast.actor("Ada"))


def test_reminders_links_and_answers_taken_down_leave_a_record_that_holds(story: Story) -> None:
    env, amara = story.cast.env, story.cast.actor("Amara")
    campaign_contacts.renew_link(env, story.ref, story.response(NORTH[0]), "Forwarded outside", actor=amara)
    ref = story.response(NORTH[1])
    take_down(env, story.ref, ref, sample_for(env, ref), note="Rang at ten", actor=amara)
    story.at(LAUNCH + timedelta(days=2))
    campaign_nudging.nudge(env, story.ref, [story.response(NORTH[2])], actor=amara)
    now = story.cast.env_now
    with reading(env.engine) as conn:
        found = [each for each in broken_promises(conn, env, now) if not each.warning]
        assert (found, verify(conn).problems) == ([], [])


# ------------------------------------------------------------------------------------------------------ review


def test_answers_stand_beside_last_years_with_the_difference_in_words(cast: Cast) -> None:
    first = launched(cast)
    first.answers(NORTH[0], staff=100, code_progress="behind", help_wanted=["training"])
    second = launched(cast, title="Member pulse 2027", launch="2026-09-07", deadline="2026-10-19")
    ref = second.answers(NORTH[0], staff=130, code_progress="behind", help_wanted=["call", "training"])
    found = review(cast.env, second.ref, ref, actor=cast.actor("Amara"))
    told = {each.question.id: each for part in found.parts for each in part.answers}
    assert (told["staff"].answer, told["staff"].last_year) == (["130 people"], ["100 people"])
    assert told["staff"].difference == "Up by 30 people (30 %)"
    assert told["code_progress"].difference == ""
    assert told["help_wanted"].difference == "Now A call with our team"
    assert found.last_year == "Member pulse 2026"
    assert found.risk is not None and found.risk.drivers


def test_whoever_reviews_is_led_from_one_answer_to_the_next(story: Story) -> None:
    refs = []
    for number, name in enumerate(NORTH[:3]):
        story.at(LAUNCH + timedelta(days=number))
        refs.append(story.answers(name))
    found = [review(story.cast.env, story.ref, ref, actor=story.cast.actor("Amara")) for ref in refs]
    assert [(r.previous, r.following, r.place, r.to_review) for r in found] == [
        (None, refs[1], 1, 3), (refs[0], refs[2], 2, 3), (refs[1], None, 3, 3),
    ]  # fmt: skip
    waiting = review(story.cast.env, story.ref, story.response(NORTH[5]), actor=story.cast.actor("Amara"))
    assert (waiting.following, waiting.place, waiting.submitted) == (refs[0], 0, False)
    with pytest.raises(CaseNotFound):
        review(story.cast.env, story.ref, refs[0], actor=story.cast.actor("Bo"))


def test_answers_taken_down_on_the_phone_are_the_members_and_say_who_typed_them(story: Story) -> None:
    env, amara, ref = story.cast.env, story.cast.actor("Amara"), story.response(NORTH[0])
    raw = sample_for(env, ref) | {"respondent": {"name": "Åsa Åkerlund", "role": "Director"}}
    with pytest.raises(AnswersInvalid):
        take_down(env, story.ref, ref, raw | {"declaration": False}, actor=amara)
    assert take_down(env, story.ref, ref, raw, note="Rang at ten", actor=amara).state == "dq_review"
    [submitted] = story.cast.rows("SELECT e.actor, e.on_behalf_of FROM case_events e WHERE e.trigger = 'submit'")
    assert (submitted.actor, submitted.on_behalf_of.split(":")[0]) == (amara.person, "member")
    found = review(env, story.ref, ref, actor=amara)
    assert (found.revisions[0].by, found.respondent["name"]) == ("Amara", "Åsa Åkerlund")
    with pytest.raises(NotAllowed):
        take_down(env, story.ref, ref, raw, actor=story.cast.actor("Ada"))


# -------------------------------------------------------------------------------------------- results and files


def test_figures_on_few_answers_are_left_out_and_cannot_be_worked_out_from_the_others(story: Story) -> None:
    for name in NORTH[:4]:
        story.answers(name, staff=10, code_progress="done")
    assert {told.all.n for told in figures_of(story).values()} <= {None, 0}
    for number, name in enumerate(NORTH[4:12]):
        story.answers(name, staff=20 + number, code_progress="on_track")
    story.answers(NORTH[12], staff=30, code_progress="behind")
    told = figures_of(story)
    assert told["staff"].all.n == 13
    assert told["staff"].all.numbers.median == 22
    shown = {cell.label: cell.number for cell in told["code_progress"].all.cells}
    assert shown["On track"] == 8 and shown["Not started"] == 0
    assert shown["Behind plan"] is None and shown["Everything planned for this year is done"] is None


def figures_of(story: Story) -> dict[str, Any]:
    return {item.item.key: item for _, part in results_of(story).parts for one in part for item in one.items}


def results_of(story: Story, who: str = "Mina") -> Any:
    return results(story.cast.env, story.ref, actor=story.cast.actor(who))


def test_files_hold_only_the_members_this_person_may_see_and_numbers_as_numbers(story: Story) -> None:
    story.answers(SOUTH[0], staff=42)
    story.answers(NORTH[0], staff=7)
    env = story.cast.env
    head, *rows = list(member_rows(env, story.ref, actor=story.cast.actor("Bo")))
    assert {row[head.index("name")] for row in rows} == set(SOUTH)
    assert all("@" in str(row[head.index("e-mail")]) for row in rows), "whom to write to stands beside the name"
    head, *rows = list(answer_rows(env, story.ref, actor=story.cast.actor("Bo")))
    [row] = [dict(zip(head, row, strict=True)) for row in rows]
    assert (row["name"], row["staff"], row["submitted"]) == (SOUTH[0], 42, LAUNCH)


# ---------------------------------------------------------------------------------------------------- the plan


def test_before_a_campaign_is_planned_everybody_is_told_of_who_would_be_asked_and_who_not_and_why(cast: Cast) -> None:
    cast.members(*NORTH, tier="General")
    cast.members(*SOUTH, team="South", tier="Associate")
    criteria = {"status": ["active"], "tier": ["Associate"]}
    everybody = who_is_asked(cast.env, criteria, actor=cast.actor("Mina"))
    assert (everybody.asked, everybody.reachable, everybody.left_out) == (len(SOUTH), len(SOUTH), len(NORTH))
    assert everybody.outside[0].why_not == "Tier is General"
    of_bo = who_is_asked(cast.env, criteria, actor=cast.actor("Bo"))
    assert (of_bo.left_out, of_bo.outside, of_bo.whole) == (0, [], False)
    assert values_of(cast.env, actor=cast.actor("Bo"))["tier"] == [("Associate", len(SOUTH))]


def test_running_campaigns_come_before_closed_ones_and_say_how_far_they_are(cast: Cast) -> None:
    old = launched(cast)
    old.fire(old.ref, "cancel", "Mina", reason="Asked too early")
    new = launched(cast, title="Second pulse", launch=date(2026, 3, 16).isoformat())
    new.answers(NORTH[0])
    found = campaign_list(cast.env, actor=SYSTEM).lines
    assert [(line.title, line.open, line.responded, line.eligible) for line in found] == [
        ("Second pulse", True, 1, 21), ("Member pulse 2026", False, 0, 21),
    ]  # fmt: skip
    assert found[0].next_step == "Members answer; reminders go out by themselves"
