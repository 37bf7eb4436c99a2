"""The pages of decisions: who gets in, what they read, and what comes of deciding."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases import campaigns, commands
from cases.approving.deciding_together import is_together
from cases.sweep import sweep_due
from state_machines.policy import ApprovalPolicy
from state_machines.registry import process_named
from tests.campaign_story import PLAN
from tests.cast import MONDAY, Cast
from tests.deciding import a_finding, away, do, recommended, staff_id
from tests.pages.conftest import SignedIn


@pytest.mark.parametrize("who", ["Amara", "Bo", "Ada"])
def test_who_decides_nothing_does_not_get_in(desk: SignedIn, who: str) -> None:
    assert "This page is for" in desk(who).get("/approvals", status=403).main


def test_without_decisions_the_page_says_so(desk: SignedIn) -> None:
    assert "Nothing waits for your decision" in desk("Cara").get("/approvals").main


def test_the_list_says_who_asked_what_they_say_and_what_happens_otherwise(desk: SignedIn, cast: Cast) -> None:
    recommended(cast, "Łódź Gins")
    page = desk("Mina").get("/approvals")
    assert page.words("article h3") == ["Claims of Łódź Gins"]
    [article] = page.words("article")
    assert "Submit" in article
    assert "Amara: Submit assessment" in article
    assert "Two claims without a licence." in article
    assert "If nobody decides, on" in article


def test_the_pack_shows_what_led_there_and_its_buttons_lead_to_the_forms_of_the_case(
    desk: SignedIn, cast: Cast
) -> None:
    ref = recommended(cast)
    do(cast, ref, "accept_pack", "Mina")
    pack = desk("Mina").get("/approvals").follow("Claims of Acme Gins")
    assert "Two claims without a licence." in " ".join(pack.words("#led"))
    assert "If nobody decides" in pack.main
    assert pack.all(f'#decide a[href="/cases/{ref}/do/warn?return=/approvals"]')
    assert pack.all("#decide a.btn-danger")


def test_a_decision_without_a_form_is_made_from_the_pack(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    mina = desk("Mina")
    done = mina.get(f"/approvals/{ref}").form(f'#decide form[action^="/cases/{ref}/do/accept_pack"]').submit()
    assert done.status == 200
    assert done.all(".alert-success")
    assert cast.scalar("SELECT state FROM cases WHERE ref = :ref", ref=ref) == "manager_decision"


def test_who_asked_reads_who_decides_and_gets_no_pack(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    do(cast, ref, "accept_pack", "Mina")
    do(cast, ref, "recommend_sanction", "Mina")
    mina = desk("Mina")
    assert "Sol" in mina.get("/approvals").words("#elsewhere tbody tr")[0]
    answer = mina.get(f"/approvals/{ref}")
    assert answer.path == f"/cases/{ref}"
    assert "does not wait for your decision" in answer.main


def test_a_deputy_decides_in_the_name_of_who_is_away_and_the_page_says_so(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    away(cast, "Mina", "Max")
    assert "Max decides for you" in desk("Mina").get("/approvals").one("#away").get_text()
    pack = desk("Max").get("/approvals").follow("Claims of Acme Gins")
    assert "You stand in for Mina" in pack.main
    pack.form(f'#decide form[action^="/cases/{ref}/do/accept_pack"]').submit()
    [row] = cast.rows("SELECT actor, on_behalf_of FROM case_events WHERE trigger = 'accept_pack'")
    assert (row.actor, row.on_behalf_of) == (cast.actor("Max").person, cast.actor("Mina").person)


def test_late_cases_brought_to_a_manager_are_ticked_and_given_to_somebody(desk: SignedIn, cast: Cast) -> None:
    ref = a_finding(cast)
    cast.go_to(MONDAY + timedelta(days=60))
    sweep_due(cast.env)
    form = desk("Mina").get("/approvals").form("#give")
    assert "Tick at least one case first." in form.submit().main
    picks = [str(box["value"]) for box in form.tag.select('input[name="bulk-case"]')]
    given = form.send({"bulk-case": picks}).form("#bulk-form").send({"bulk-to": "bo@muster.example"})
    assert cast.scalar("SELECT owner_id FROM cases WHERE ref = :ref", ref=ref) == staff_id(cast, "Bo")
    assert given.follow("Back to the list").path == "/approvals"


def test_the_plan_of_a_campaign_says_how_many_it_would_ask(desk: SignedIn, cast: Cast) -> None:
    cast.members("Acme Gins", "Blue Gins")
    campaigns.plan_campaign(cast.env, PLAN, actor=cast.actor("Amara"))
    page = desk("Mina").get("/approvals")
    assert "2 members would be asked today" in page.words("article")[0]
    assert "2 members would be asked today" in page.follow(str(PLAN["title"])).main


def test_a_case_that_is_not_there_and_one_of_somebody_else_look_alike(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    with cast.env.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE cases SET restricted_to = '{1}'")
    for path in (f"/approvals/{ref}", "/approvals/MC-2026-999999"):
        assert "no such case" in desk("Mina").get(path, status=404).main


def test_several_are_decided_at_once_after_a_look_and_the_one_that_was_changed_is_left_alone(
    desk: SignedIn, cast: Cast
) -> None:
    first, second = recommended(cast, "First Ltd"), recommended(cast, "Second Ltd")
    form = desk("Mina").get("/approvals").form("#together")
    picks = [str(box["value"]) for box in form.tag.select('input[name="pick"]')]
    look = form.submit(pick=picks, move="monitoring.accept_pack", reason="Both are well founded.")
    assert look.words("tbody tr")[0].startswith(first)
    assert "Nothing has been done yet" in look.main
    assert cast.scalar("SELECT count(*) FROM cases WHERE state = 'recommended'") == 2
    commands.note(cast.env, second, "One more thing", actor=cast.actor("Amara"))
    do(cast, second, "accept_pack", "Mina")
    result = look.form('form[action="/approvals/together"]').submit()
    assert [("Decided" in row, "Left alone" in row) for row in result.words("tbody tr")] == [
        (True, False),
        (False, True),
    ]
    reasons = cast.scalar("SELECT data ->> 'note' FROM event_personal p JOIN case_events e USING (case_id, seq)"
                          " WHERE e.trigger = 'accept_pack' AND data ->> 'note' <> ''")  # fmt: skip
    assert reasons == "Both are well founded."


def test_a_decision_that_the_policy_does_not_list_is_never_made_on_several(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    do(cast, ref, "accept_pack", "Mina")
    mina = desk("Mina")
    page = mina.get("/approvals")
    assert not page.all('input[name="pick"]')
    token = page.one('form[action="/sign-out"] input[name=csrf]')["value"]
    version = cast.scalar("SELECT version FROM cases")
    for step in ("look", "do"):
        sent = {"csrf": token, "pick": f"{ref}:{version}", "move": "monitoring.warn", "reason": "all", "step": step}
        refused = mina.post("/approvals/together", sent)
        assert refused.status == 422
        assert "by itself" in refused.main
    assert cast.scalar("SELECT state FROM cases") == "manager_decision"


def test_even_a_listed_decision_is_not_made_on_several_where_its_form_asks_for_more_than_a_reason(cast: Cast) -> None:
    listed = cast.env.policy.model_copy(update={"approvals": ApprovalPolicy(together=("monitoring.suspend",))})
    process = process_named("monitoring")
    moves = [t for t in process.transitions if t.trigger == "suspend"]
    assert moves
    assert not any(is_together(listed, "monitoring", move) for move in moves)


def test_a_long_list_has_a_second_page_and_a_nonsense_place_is_the_first(desk: SignedIn, cast: Cast) -> None:
    for n in range(21):
        recommended(cast, f"Member {n}")
    mina = desk("Mina")
    first = mina.get("/approvals")
    second = first.follow("Next")
    assert (len(first.all("article")), len(second.all("article"))) == (20, 1)
    assert len(mina.get("/approvals?after=nonsense").all("article")) == 20


@pytest.mark.parametrize(("who", "where"), [("Mina", "/approvals"), ("Sol", "/approvals"), ("Amara", "/queue"),
                                            ("Ada", "/queue")])  # fmt: skip
def test_everybody_begins_where_their_work_is(desk: SignedIn, who: str, where: str) -> None:
    assert desk(who).http.get("/", follow_redirects=False).headers["location"] == where


def test_a_decision_with_a_form_leads_back_to_the_approvals_also_after_a_mistake(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    do(cast, ref, "accept_pack", "Mina")
    mina = desk("Mina")
    form = mina.get(f"/approvals/{ref}").follow("Return with questions")
    again = form.form("form#do").submit(reason="")
    assert again.status == 422
    done = again.form("form#do").submit(reason="Who approved the claims?", missing="The names")
    assert done.path == "/approvals"
    assert done.all(".alert-success")
    assert cast.scalar("SELECT state FROM cases") == "assessment"


def test_a_form_never_leads_away_from_the_desk(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    mina = desk("Mina")
    page = mina.get(f"/cases/{ref}")
    sent = {"csrf": page.one('form[action="/sign-out"] input[name=csrf]')["value"],
            "version": str(cast.scalar("SELECT version FROM cases"))}  # fmt: skip
    done = mina.post(f"/cases/{ref}/do/accept_pack?return=//elsewhere.example/", sent)
    assert done.path == f"/cases/{ref}"
