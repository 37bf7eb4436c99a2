"""What the holder of a personal link sees of its one case, and what they may do there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cases import commands, evidence
from cases.answers import AnswersInvalid
from cases.errors import CaseChanged, CaseNotFound, TransitionRefused
from cases.own.answering import Given, save, submit
from cases.own.deeds import act, tell
from cases.own.leaving import leave, leaving
from cases.own.links import ask_for_links, ask_to_leave, leave_token
from cases.own.pages import Holder, TooMuch, holder_of, own_case
from cases.own.survey import Survey, copy_text, missing, survey
from cases.queries import Filter, list_cases
from cases.side_writes import give_to_members
from config.database import transaction
from members import store as member_store
from notifications import links
from tests.asked import asked_survey, complained, fire, leaver, ref_of, response
from tests.cast import MONDAY, Cast

WHOLE = {"contact_current": "yes", "staff": "120", "code_progress": "on_track"}
CHANDRA = {"name": "Chandra Mills", "role": "Director", "email": "m1@members.example"}


def opened(cast: Cast, token: str) -> Survey:
    return survey(cast.env, links.MEMBER, token, now=cast.env_now)


def holder(cast: Cast, token: str, purpose: str = links.MEMBER) -> Holder:
    return holder_of(cast.env, purpose, token, now=cast.env_now)


def given(answers: dict[str, Any], seen: Survey | None = None) -> Given:
    shown = {name: seen.filled.seen(name) for name in answers} if seen else {}
    return Given(list(answers), answers, seen=shown)


def events(cast: Cast, trigger: str) -> int:
    return int(cast.scalar("SELECT count(*) FROM case_events WHERE trigger = :trigger", trigger=trigger))


# --- sight


def test_a_link_shows_its_one_case_and_no_other_of_the_same_member(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    member = cast.scalar("SELECT ref FROM members")
    other = fire_open(cast, member)

    actor = holder(cast, token).actor

    assert [line["process"] for line in list_cases(cast.env, everything(), actor=actor)[0]] == ["survey_response"]
    with pytest.raises(CaseNotFound):
        act(cast.env, holder_with(holder(cast, token), other), "withdraw", {}, seen=0)


def fire_open(cast: Cast, member: str) -> str:
    payload = {"channel": "email"}
    amara = cast.actor("Amara")
    return commands.open_one(
        cast.env, "cancellation", member=member, subject="x", payload=payload, actor=amara
    ).after.ref


def everything() -> Any:
    return Filter()


def holder_with(mine: Holder, ref: str) -> Holder:
    return replace(mine, case=replace(mine.case, ref=ref))


def test_a_member_of_whom_somebody_complained_gets_nothing_to_see_before_their_side_is_asked_for(cast: Cast) -> None:
    [member] = cast.members("Chandra Mills")
    ref, _ = complained(cast)
    case_id = cast.scalar("SELECT id FROM cases WHERE ref = :ref", ref=ref)
    with transaction(cast.env.engine) as conn:
        give_to_members(conn, {case_id: member})
    token = links.make(cast.env.settings.secret_key.get_secret_value(), links.MEMBER, case_id)

    with pytest.raises(links.LinkExpired):
        holder(cast, token)


def test_a_revoked_link_shows_nothing(cast: Cast) -> None:
    ref, token = complained(cast)
    case_id = cast.scalar("SELECT id FROM cases WHERE ref = :ref", ref=ref)
    with transaction(cast.env.engine) as conn:
        links.revoke(conn, [case_id], now=MONDAY)

    with pytest.raises(links.LinkExpired):
        holder(cast, token, "party:complainant")


# --- the survey


def test_what_is_typed_is_a_draft_until_somebody_saves(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    save(cast.env, holder(cast, token), given({"staff": "120"}), step=False)
    save(cast.env, holder(cast, token), given({"code_progress": "behind"}), step=False)

    assert opened(cast, token).filled.answers == {"staff": 120, "code_progress": "behind"}
    assert cast.scalar("SELECT state FROM cases WHERE process = 'survey_response'") == "in_progress"
    assert events(cast, "save") == 1, "the first answer says that something was begun; the others are no events"

    save(cast.env, holder(cast, token), given({"code_progress": "behind"}), step=True)
    save(cast.env, holder(cast, token), given({"code_progress": "behind"}), step=True)
    assert events(cast, "save") == 2, "saving the same twice is one event"


def test_what_does_not_fit_is_told_and_the_rest_is_saved(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)

    saved = save(cast.env, holder(cast, token), given({"staff": "many", "code_progress": "behind"}), step=True)

    assert list(saved.errors) == ["staff"]
    assert opened(cast, token).filled.answers == {"code_progress": "behind"}


def test_two_people_who_answer_different_questions_lose_nothing(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    page = opened(cast, token)
    save(cast.env, holder(cast, token), given({"staff": "120", "code_progress": ""}, page), step=True)

    saved = save(cast.env, holder(cast, token), given({"staff": "", "code_progress": "behind"}, page), step=True)

    assert saved.conflicts == {}
    assert opened(cast, token).filled.answers == {"staff": 120, "code_progress": "behind"}


def test_who_answers_the_same_question_second_is_told_what_the_first_said(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    page = opened(cast, token)
    save(cast.env, holder(cast, token), given({"staff": "120"}, page), step=True)

    saved = save(cast.env, holder(cast, token), given({"staff": "130", "help_wanted": ["call"]}, page), step=True)

    assert saved.conflicts == {"staff": 120}
    assert opened(cast, token).filled.answers == {"staff": 120, "help_wanted": ["call"]}
    again = save(cast.env, holder(cast, token), given({"staff": "130"}, opened(cast, token)), step=True)
    assert again.conflicts == {}
    assert opened(cast, token).filled.answers["staff"] == 130


def test_answers_to_questions_that_are_hidden_for_a_while_come_back(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    save(cast.env, holder(cast, token), given({"contact_current": "no", "contact_changes": "Ann"}), step=True)
    save(cast.env, holder(cast, token), given({"contact_current": "yes"}), step=True)
    assert "contact_changes" not in opened(cast, token).shown

    save(cast.env, holder(cast, token), given({"contact_current": "no"}), step=True)

    assert opened(cast, token).filled.answers["contact_changes"] == "Ann"


def test_a_submission_is_taken_once_and_its_receipt_names_the_copy(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    save(cast.env, holder(cast, token), given(WHOLE), step=True)
    page = opened(cast, token)
    seen = page.filled.seen_all()
    assert missing(page) == {}

    first = submit(cast.env, holder(cast, token), CHANDRA, True, seen=seen)
    second = submit(cast.env, holder(cast, token), CHANDRA, True, seen=seen)

    assert (first.repeated, second.repeated) == (False, True)
    assert events(cast, "submit") == 1
    digest = cast.scalar("SELECT data ->> 'answers_sha256' FROM cases WHERE process = 'survey_response'")
    assert hashlib.sha256(copy_text(opened(cast, token))).hexdigest() == digest


@pytest.mark.parametrize(("typed", "receipts"), [("Ann@mills.example", 2), ("anybody@else.example", 1)])
def test_the_receipt_goes_to_who_submitted_where_the_member_has_them(
    cast: Cast, tmp_path: Path, typed: str, receipts: int
) -> None:
    token = asked_survey(cast, tmp_path)
    ann = {"member_id": cast.scalar("SELECT id FROM members"), "position": 2, "name": "Ann", "role": "executive"}
    with transaction(cast.env.engine) as conn:
        member_store.insert_contacts(conn, [{**ann, "email": "ann@mills.example"}])
    save(cast.env, holder(cast, token), given(WHOLE), step=True)
    seen = opened(cast, token).filled.seen_all()

    for _ in range(2):
        submit(cast.env, holder(cast, token), {**CHANDRA, "email": typed}, True, seen=seen)

    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'survey_receipt'") == receipts


def test_what_was_changed_since_the_page_was_made_is_not_submitted_unseen(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    save(cast.env, holder(cast, token), given(WHOLE), step=True)
    seen = opened(cast, token).filled.seen_all()
    save(cast.env, holder(cast, token), given({"staff": "7"}), step=False)

    with pytest.raises(CaseChanged):
        submit(cast.env, holder(cast, token), CHANDRA, True, seen=seen)


def test_what_is_missing_is_said_by_question(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    save(cast.env, holder(cast, token), given({"staff": "1"}), step=True)

    assert set(missing(opened(cast, token))) == {"contact_current", "code_progress"}
    with pytest.raises(AnswersInvalid):
        submit(cast.env, holder(cast, token), CHANDRA, True, seen=opened(cast, token).filled.seen_all())


def test_a_reply_to_our_questions_starts_from_what_was_submitted(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    save(cast.env, holder(cast, token), given(WHOLE), step=True)
    submit(cast.env, holder(cast, token), CHANDRA, True, seen=opened(cast, token).filled.seen_all())
    ref = ref_of(cast, response(cast))
    with pytest.raises(TransitionRefused):
        save(cast.env, holder(cast, token), given({"staff": "7"}), step=True)
    fire(cast, ref, "query", "Amara", questions=[{"question": "staff", "text": "Is this everybody?"}])

    page = opened(cast, token)
    assert page.queries == {"staff": "Is this everybody?"}
    save(cast.env, holder(cast, token), given({"staff": "121"}, page), step=True)
    receipt = submit(cast.env, holder(cast, token), CHANDRA, True, seen=opened(cast, token).filled.seen_all())

    assert receipt.state == "dq_review"
    assert opened(cast, token).submitted.answers["answers"]["staff"] == 121


# --- doing and telling


def test_the_same_form_sent_twice_is_done_once(cast: Cast, tmp_path: Path) -> None:
    token = asked_survey(cast, tmp_path)
    page = own_case(cast.env, links.MEMBER, token, now=cast.env_now)
    wish = {"exemption": "under_12_months", "details": "We joined in November."}

    first = act(cast.env, page.holder, "request_exemption", wish, seen=page.seen)
    second = act(cast.env, page.holder, "request_exemption", wish, seen=page.seen)

    assert first is not None and second is None
    assert events(cast, "request_exemption") == 1


def test_who_tells_us_something_twice_tells_it_once(cast: Cast) -> None:
    _, token = complained(cast)
    jo = holder(cast, token, "party:complainant")

    assert tell(cast.env, jo, "It happened again.") is True
    assert tell(cast.env, jo, "It happened again. ") is False
    assert events(cast, "told") == 1
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'case_told' AND audience = 'owner'") == 1


def test_nobody_is_flooded_by_what_is_told(cast: Cast) -> None:
    _, token = complained(cast)
    jo = holder(cast, token, "party:complainant")
    for number in range(20):
        tell(cast.env, jo, f"Point {number}")

    with pytest.raises(TooMuch):
        tell(cast.env, jo, "Point 20")


def test_a_complainant_may_send_files_and_sees_only_their_own(cast: Cast) -> None:
    ref, token = complained(cast)
    jo = holder(cast, token, "party:complainant")
    evidence.add(cast.env, ref, "door.txt", b"The door was closed.", actor=jo.actor)
    inside = evidence.add(cast.env, ref, "inside.txt", b"What the team says.", actor=cast.actor("Amara"))

    page = own_case(cast.env, "party:complainant", token, now=cast.env_now)

    assert [file["name"] for file in page.files] == ["door.txt"]
    with pytest.raises(CaseNotFound):
        evidence.read(cast.env, ref, inside.sha256, actor=jo.actor)


def test_a_complainant_may_do_what_the_process_lets_them_and_nothing_else(cast: Cast) -> None:
    _, token = complained(cast)

    page = own_case(cast.env, "party:complainant", token, now=cast.env_now)

    assert {c.transition.trigger for c in page.choices if c.refused is None} == {"withdraw"}


# --- asking for a link


def test_a_fresh_link_goes_to_who_has_the_address_and_once_an_hour(cast: Cast, tmp_path: Path) -> None:
    asked_survey(cast, tmp_path)
    address = cast.scalar("SELECT email FROM contacts")

    assert ask_for_links(cast.env, address.upper(), now=cast.env_now) == 1
    assert ask_for_links(cast.env, address, now=cast.env_now) == 0
    assert ask_for_links(cast.env, "stranger@example.org", now=cast.env_now) == 0
    contact = cast.scalar("SELECT id FROM contacts")
    assert cast.scalar("SELECT audience FROM messages WHERE kind = 'own_link'") == f"contact:{contact}"


def test_a_matter_of_which_the_member_was_not_told_is_in_no_fresh_link(cast: Cast) -> None:
    cast.members("Chandra Mills")
    finding = {"criterion": "communication", "severity": "minor", "source": "desk research",
               "source_date": "2026-02-27", "evidence": "The website says so."}  # fmt: skip
    member = cast.scalar("SELECT ref FROM members")
    commands.open_one(
        cast.env, "monitoring", member=member, subject="A claim", payload=finding, actor=cast.actor("Amara")
    )

    assert ask_for_links(cast.env, str(cast.scalar("SELECT email FROM contacts")), now=cast.env_now) == 0


def test_a_complainant_gets_a_fresh_link_by_the_address_they_gave(cast: Cast) -> None:
    complained(cast, email="Jo@Example.org")

    assert ask_for_links(cast.env, "jo@example.org", now=cast.env_now) == 1
    assert cast.scalar("SELECT audience FROM messages WHERE kind = 'own_link'") == "party:complainant"


@pytest.mark.parametrize("typed", ["m1@members.example", "M-000001", " m-000001 "])
def test_a_link_to_leave_is_mailed_by_address_or_number(cast: Cast, typed: str) -> None:
    leaver(cast)

    assert ask_to_leave(cast.env, typed, now=cast.env_now) == 1


@pytest.mark.parametrize("typed", ["Chandra Rao", "nobody@example.org", "M-999999", "", "%"])
def test_a_name_or_an_unknown_address_gets_no_link_to_leave(cast: Cast, typed: str) -> None:
    leaver(cast)

    assert ask_to_leave(cast.env, typed, now=cast.env_now) == 0


# --- leaving


def test_what_leaving_means_is_said_before_anything_is_written(cast: Cast) -> None:
    token = leave_token(cast.env, leaver(cast), asked_at=MONDAY)

    page = leaving(cast.env, token, now=MONDAY)

    assert page.means is not None and page.means.ends_on is not None
    assert page.means.ends_on.isoformat() == "2026-03-31", "notice by the fourth counts from the first"
    assert cast.scalar("SELECT count(*) FROM cases") == 0


def test_the_notice_counts_from_when_the_link_was_asked_for(cast: Cast) -> None:
    token = leave_token(cast.env, leaver(cast), asked_at=MONDAY)
    cast.go_to(MONDAY + timedelta(days=4))

    case_id = leave(cast.env, token, {"wants_no_offers": True})

    [row] = cast.rows("SELECT state, data FROM cases WHERE id = :id", id=case_id)
    assert (row.state, row.data["end_date"]) == ("notice_running", "2026-03-31")


def test_a_link_to_leave_makes_one_notice_however_often_it_is_used(cast: Cast) -> None:
    token = leave_token(cast.env, leaver(cast), asked_at=MONDAY)

    assert leave(cast.env, token, {}) == leave(cast.env, token, {"wants_no_offers": True})
    assert cast.scalar("SELECT count(*) FROM cases") == 1


def test_who_is_in_the_cooling_off_time_is_offered_nothing(cast: Cast) -> None:
    token = leave_token(cast.env, leaver(cast, joined="2026-02-25"), asked_at=MONDAY)

    page = leaving(cast.env, token, now=MONDAY)

    assert page.means is not None and page.means.cooled_off
    assert not page.offers


def test_a_link_to_leave_ends_after_a_week(cast: Cast) -> None:
    token = leave_token(cast.env, leaver(cast), asked_at=MONDAY)

    with pytest.raises(links.LinkExpired):
        leaving(cast.env, token, now=MONDAY + timedelta(days=7))
