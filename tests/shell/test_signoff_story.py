"""A sign-off from plan to end, with the wrong signatory, a reservation, a refusal, and a newer code half-way."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from cases import campaigns
from cases.campaigning.closing import closing
from cases.campaigning.members import Narrowed, members_page
from cases.campaigning.nudging import preview
from cases.campaigning.overview import campaign_list
from cases.campaigning.page import campaign_page
from cases.campaigning.signatures import SIGNATURES, signature_rows
from cases.errors import BadInput, CaseError, TransitionRefused
from cases.explaining.coming import what_happens_next
from cases.member_pages import member_page
from cases.own.giving_signature import sign
from config.database import transaction
from tests.cast import Cast
from tests.signing_story import ENGLISH, fire, form, in_force, page, state, version
from tests.signoff_story import DIRECTOR, NAMES, launched, newest, planned, signers, signs


def test_a_plan_names_a_document_that_is_in_force(cast: Cast) -> None:
    draft = version(cast)

    with pytest.raises(BadInput, match=r"is not in force \(draft\)"):
        planned(cast, draft)
    with pytest.raises(BadInput, match="which document"):
        planned(cast, "")


def test_a_sign_off_from_the_plan_to_its_end_with_a_newer_code_half_way(cast: Cast) -> None:
    signers(cast)
    code = in_force(cast)
    story = launched(cast, code)
    env, mina, bo = cast.env, cast.actor("Mina"), cast.actor("Bo")

    progress = campaigns.status(env, story.ref, actor=mina)
    assert (progress.eligible, progress.invited, progress.unreachable, progress.excluded) == (5, 4, 1, 1)
    assert state(cast, newest(story, NAMES[4])) == "pending"
    assert campaigns.status(env, story.ref, actor=mina).by_state == {"sent": 4, "pending": 1}

    # the first signs as is on file, the second is the wrong person, the third has a reservation, the fourth refuses
    assert signs(story, NAMES[0]) == "valid"
    assert signs(story, NAMES[1], name="Somebody Else") == "signed"
    assert fire(cast, newest(story, NAMES[1]), "reject_signatory", "Amara", reason="Buys, and may not sign") == (
        "wrong_signatory"
    )
    assert fire(cast, newest(story, NAMES[1]), "ask_again", "Amara", reason="Ms Rao is the director") == "sent"
    assert signs(story, NAMES[2], reservation="Clause 7 only within the Union.") == "signed_with_reservation"
    assert fire(cast, newest(story, NAMES[3]), "refuse", "Amara", statement="Never.", name=DIRECTOR) == "refused"

    incident = cast.rows(
        "SELECT i.ref, l.type, i.data ->> 'criterion' AS criterion FROM cases i JOIN case_links l ON l.from_id = i.id "
        "JOIN cases s ON s.id = l.to_id WHERE i.process = 'monitoring'"
    )
    assert [(row.type, row.criterion) for row in incident] == [("caused_by", "commitment_conduct")]

    # the pages: numbers, groups, what closing needs; Bo sees the South alone
    seen = campaign_page(env, story.ref, actor=mina)
    assert (seen.kind, seen.questionnaire) == ("signoff", "Code of Practice, version 3.0")
    assert (seen.counts.eligible, seen.counts.complete, seen.counts.unanswered) == (5, 1, 1)
    assert [step.title for step in seen.checklist if step.left] == [
        "Everybody who can be reached has signed", "Everybody can be reached", "Every reservation is decided",
        "Nobody failed or refused to sign",
    ]  # fmt: skip
    assert campaign_page(env, story.ref, actor=bo).counts.eligible == 1
    undecided = members_page(env, story.ref, Narrowed(state="undecided"), actor=mina)
    assert [line.member for line in undecided.lines] == [NAMES[2]]
    assert [line.kind for line in campaign_list(env, actor=mina).lines] == ["signoff"]
    story.at("2026-03-12")
    nudged = preview(env, story.ref, narrow=Narrowed(), actor=cast.actor("Amara"))
    assert [one.member for one in nudged.going] == [NAMES[1]]
    assert [line.process for line in member_page(env, "M-000001", actor=mina).responses] == ["signature"]

    # a newer code takes effect: nothing that was signed counts any more, and everybody is asked again
    newer = ENGLISH.replace(b"We pay on time.", b"We pay within thirty days.")
    code_4 = version(cast, "4.0", newer, supersedes=code, effective_on=date(2026, 3, 20))
    fire(cast, code_4, "send_to_review", "Amara")
    fire(cast, code_4, "approve", "Mina")
    before = newest(story, NAMES[0])
    old_page = page(cast, newest(story, NAMES[1]))
    ahead = next(each for each in what_happens_next(env, story.ref, actor=mina).items if each.trigger == "new_version")
    assert (ahead.at.date(), ahead.kind, ahead.cause) == (date(2026, 3, 20), "transition", code_4)
    effect = next(each for each in what_happens_next(env, code_4, actor=mina).items if each.target == "effective")
    assert [beside.where for beside in effect.beside] == [
        "linked cases (supersedes)", "every case that asks for what this one supersedes, or one further back",
    ]  # fmt: skip
    story.at("2026-03-20")
    assert state(cast, before) == "superseded"
    assert dict(cast.rows("SELECT state, count(*) FROM cases WHERE process = 'signature' GROUP BY state")) == {
        "superseded": 5, "sent": 4, "pending": 1,
    }  # fmt: skip
    progress = campaigns.status(env, story.ref, actor=mina)
    assert (progress.eligible, progress.complete, progress.deadline) == (5, 0, "2026-04-19")
    assert "superseded" not in progress.by_state
    with pytest.raises(CaseError):
        sign(env, old_page, form(old_page), now=cast.env_now)
    assert state(cast, old_page.holder.ref) == "superseded"

    for name in NAMES[:3]:
        assert signs(story, name) == "valid"
    fire(cast, newest(story, NAMES[3]), "refuse", "Amara", statement="Nor this one.", name=DIRECTOR)
    with transaction(env.engine) as conn:
        conn.execute(text("UPDATE contacts SET role = 'executive' WHERE member_id = 5"))
    story.at("2026-03-23")
    assert signs(story, NAMES[4]) == "valid"

    # one refused: it is not 100 %, and the senior manager closes it with the monitoring case beside the member
    story.at("2026-03-24")
    story.at("2026-03-25")
    assert state(cast, story.ref) == "reported"
    with pytest.raises(TransitionRefused, match="1 of 5 are outstanding"):
        fire(cast, story.ref, "close_100", "Mina")
    left = closing(env, story.ref, actor=cast.actor("Sol")).outstanding
    assert [(one.member, bool(one.case)) for one in left] == [(NAMES[3], True)]
    named = [{"member": one.member_ref, "case": one.case, "action": "In monitoring"} for one in left]
    closed = fire(cast, story.ref, "close_with_exceptions", "Sol", outstanding=named, reason="All others have signed")
    assert closed == "closed_exception"
    assert state(cast, newest(story, NAMES[3])) == "not_signed"

    rows = list(signature_rows(env, story.ref, actor=mina))
    by_name = {row[1]: dict(zip(SIGNATURES, row, strict=True)) for row in rows[1:]}
    assert (rows[0], len(by_name)) == (SIGNATURES, 5)
    assert (by_name[NAMES[0]]["version"], by_name[NAMES[0]]["signatory"], by_name[NAMES[0]]["valid"]) == (
        "4.0", DIRECTOR, True,
    )  # fmt: skip
    assert (by_name[NAMES[3]]["signed"], by_name[NAMES[3]]["exception case"]) == (None, left[0].case)
    assert by_name[NAMES[0]]["sent"] == date(2026, 3, 20)
