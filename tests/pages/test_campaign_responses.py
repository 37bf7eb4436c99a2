"""One member's response on the desk: reviewed, asked back, corrected, taken down on the phone, reached elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from cases.answers import sample_for
from tests.campaign_story import NORTH, Story, launched
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Page


@pytest.fixture
def story(cast: Cast) -> Story:
    """A live campaign on the day of its launch."""
    return launched(cast)


def path_of(story: Story, member: str, more: str = "") -> str:
    return f"/campaigns/{story.ref}/responses/{story.response(member)}{more}"


def state_of(story: Story, member: str) -> Any:
    return story.cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=story.response(member))


def without_second_check(story: Story) -> str:
    """A member whose answer is not in the sample for the second check, answered and free of flags."""
    for name in NORTH:
        story.answers(name)
        if "second" not in _why_not(story, name):
            return name
    raise AssertionError("everybody is in the sample")


def _why_not(story: Story, name: str) -> str:
    from cases.campaigning.review import review

    found = review(story.cast.env, story.ref, story.response(name), actor=story.cast.actor("Amara"))
    return found.moves["complete"].why_not.lower()


def test_answers_to_review_are_listed_and_lead_from_one_to_the_next(story: Story, desk: SignedIn) -> None:
    assert "Nothing to review" in desk("Amara").get(f"/campaigns/{story.ref}/responses").main
    for name in NORTH[:2]:
        story.answers(name)
    page = desk("Amara").get(f"/campaigns/{story.ref}/responses")
    assert [NORTH[0] in words or NORTH[1] in words for words in page.words("tbody th")] == [True, True]
    first = page.follow("Review the most urgent")
    assert "1 of 2 to review" in first.main
    assert "2 of 2 to review" in first.follow("Next").main


def test_completing_settles_the_open_flags_and_goes_on_to_the_next(story: Story, desk: SignedIn) -> None:
    name = without_second_check(story)
    client = desk("Amara")
    page = client.get(path_of(story, name))
    flags = [str(each["name"]) for each in page.all('[name^="dismiss."]')]
    if flags:
        refused = page.form("#complete").submit()
        assert refused.status == 409 and "open" in refused.main
    done = client.get(path_of(story, name)).form("#complete").send(dict.fromkeys(flags, "Asked and answered"))
    assert state_of(story, name) == "complete"
    assert "The answer is complete." in done.main
    assert "100 %" not in done.main


def test_what_is_asked_back_goes_in_one_letter_and_a_stale_page_is_refused_with_what_was_typed(
    story: Story, desk: SignedIn
) -> None:
    story.answers(NORTH[0])
    client = desk("Amara")
    page, stale = client.get(path_of(story, NORTH[0])), client.get(path_of(story, NORTH[0]))
    nothing = page.form("#query").submit()
    assert nothing.status == 422 and "next to at least one answer" in nothing.main
    done = page.form("#query").send({"query.staff": "Is this figure right?", "query.code_progress": "Since when?"})
    assert state_of(story, NORTH[0]) == "queried"
    assert "The member is asked back." in done.main
    late = stale.form("#query").send({"query.staff": "Twice?"})
    assert late.status == 409 and "Someone else changed this case" in late.main


def test_a_manager_accepts_with_a_caveat_and_says_what_is_left_out(story: Story, desk: SignedIn) -> None:
    story.answers(NORTH[0])
    page = desk("Mina").get(path_of(story, NORTH[0]))
    refused = page.form("#accept").send({"reason": "No reply from them"})
    assert refused.status == 409 and refused.one("#accept-reason").get_text() == "No reply from them"
    refused.form("#accept").send({"excluded": ["staff"]})
    assert story.cast.scalar("SELECT data -> 'excluded' FROM cases WHERE state = 'complete'") == ["staff"]
    assert not desk("Amara").get(path_of(story, NORTH[0])).all("#accept"), "coordinators may not"


def test_a_corrected_answer_is_marked_and_waits_for_a_second_person(story: Story, desk: SignedIn) -> None:
    story.answers(NORTH[0], staff=100)
    page = desk("Amara").get(path_of(story, NORTH[0])).follow("Correct an answer")
    same = page.form("#answers").send({"reason": "Just looking"})
    assert same.status == 422 and "nothing was changed" in same.main
    wrong = page.form("#answers").send({"a.staff": "many", "reason": "By phone"})
    assert wrong.status == 422 and wrong.one("#q-staff")["value"] == "many"
    done = page.form("#answers").send({"a.staff": "1,200", "reason": "By phone, Ms Åkerlund"})
    assert "1,200 people" in done.main and "Corrected by staff" in done.main
    assert "Cannot be completed yet" in done.main
    assert not done.all("#second-check"), "whoever corrected it may not check it"
    checked = desk("Max").get(path_of(story, NORTH[0])).form("#second-check").send({"agreed": "true"})
    assert "The second check is recorded." in checked.main


def test_answers_are_taken_down_on_the_phone_as_the_members_own(story: Story, desk: SignedIn) -> None:
    client = desk("Amara")
    page = client.get(path_of(story, NORTH[0])).follow("Take down the answers on the phone")
    raw = sample_for(story.cast.env, story.response(NORTH[0]))["answers"]
    typed: dict[str, Any] = {f"a.{name}": _as_typed(value) for name, value in raw.items()}
    saved = page.form("#answers").send({**typed, "respondent_name": "Åsa Öst"}, button="Save what there is")
    assert "What was said so far is saved." in saved.main and state_of(story, NORTH[0]) == "in_progress"
    again = client.get(path_of(story, NORTH[0], "/answer"))
    refused = again.form("#answers").send({"note": "At ten"}, button="Submit for the member")
    assert refused.status == 422 and "Confirm that you are authorised" in refused.main
    done = refused.form("#answers").send({"declaration": "true"}, button="Submit for the member")
    assert "The answers are submitted for the member." in done.main
    assert "Answered by Åsa Öst" in done.main and "submitted by Amara" in done.main


def _as_typed(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return [str(each) for each in value] if isinstance(value, list) else str(value)


def test_another_contact_is_named_and_written_to_first(story: Story, desk: SignedIn) -> None:
    page = desk("Amara").get(path_of(story, NORTH[0]))
    wrong = page.form("#contact").send({"name": "Zoë", "email": "no address"})
    assert wrong.status == 422 and wrong.one("#contact-name")["value"] == "Zoë"
    done = page.form("#contact").send({"name": "Zoë Ångström", "email": "zoe@akerlund.example"})
    assert "Now: Zoë Ångström" in done.main


def test_the_personal_link_is_ended_and_sent_anew(story: Story, desk: SignedIn) -> None:
    page = desk("Amara").get(path_of(story, NORTH[0]))
    done = page.form("#link").send({"reason": "Forwarded to a stranger"})
    assert "a new one is on its way" in done.main
    assert story.cast.scalar("SELECT epoch FROM link_epochs") == 1


def test_the_other_moves_lead_to_their_forms_and_back(story: Story, desk: SignedIn) -> None:
    page = desk("Amara").get(path_of(story, NORTH[0]))
    hrefs = [str(a["href"]) for a in page.all('a[href*="/do/"]')]
    back = f"?return={path_of(story, NORTH[0])}"
    assert f"/cases/{story.response(NORTH[0])}/do/log_call{back}" in hrefs
    assert f"/cases/{story.response(NORTH[0])}/do/request_exemption{back}" in hrefs
    assert not [href for href in hrefs if "choose_contact" in href], "another contact is chosen on the member's page"
    assert page.follow("Write to another contact").one("#ladders")
    form = page.follow("Log a call").form('form[action*="/do/log_call"]')
    done = form.send({"outcome": "promised", "promised_on": "2026-03-12", "note": "Ms Öst will send it"})
    assert done.path == path_of(story, NORTH[0])
    assert "promised for 12 March 2026" in done.main and "1 call" in done.main


def test_a_form_that_is_loaded_anew_leads_back_to_its_page(story: Story, desk: SignedIn) -> None:
    client = desk("Amara")
    assert client.get(path_of(story, NORTH[0], "/query")).path == path_of(story, NORTH[0])
    assert client.get(f"/campaigns/{story.ref}/remind").path == f"/campaigns/{story.ref}/members"
    client.get(path_of(story, NORTH[0], "/nonsense"), status=404)


def test_who_asked_for_an_exemption_is_told_that_somebody_else_decides(story: Story, desk: SignedIn) -> None:
    story.fire(story.response(NORTH[0]), "request_exemption", "Amara", exemption="insolvent")
    page = desk("Mina").get(path_of(story, NORTH[0]))
    assert page.all('a[href*="/do/approve_exemption"]') and page.all('a[href*="/do/decline_exemption"]')
    assert not desk("Amara").get(path_of(story, NORTH[0])).all('a[href*="/do/approve_exemption"]')


def test_an_auditor_reads_and_is_offered_nothing(story: Story, desk: SignedIn) -> None:
    story.answers(NORTH[0])
    page: Page = desk("Ada").get(path_of(story, NORTH[0]))
    assert not page.all("main form")
    desk("Ada").get(path_of(story, NORTH[0], "/answer"), status=403)
