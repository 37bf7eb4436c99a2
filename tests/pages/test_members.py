"""The pages of members: found, read, changed by two at once, merged; and what Bo never sees of the North."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import text

from cases.commands import fire, open_one, restrict
from cases.handing_over import follow_teams
from cases.nightly import run_checks
from config.database import transaction
from members import proposals, store
from members.commands import declare_conflict, update_member
from members.importing import import_members
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client

NORTH = "Ö'Brien & <Söhne>"


@pytest.fixture
def cast(cast: Cast) -> Cast:
    cast.members(NORTH, "Ålesund Bad", team="North", tier="Premier", website="https://old.example")
    cast.members("South Pool", team="South", country="SE")
    return cast


def a_complaint(cast: Cast, who: str, member: str, subject: str) -> str:
    given = {"category": "service", "complainant_name": "Carl", "complainant_email": "c@x.example"}
    opened = open_one(cast.env, "complaint", member=member, subject=subject, payload=given, actor=cast.actor(who))
    return opened.after.ref


def ask(cast: Cast, changes: dict[str, object], member_id: int = 1) -> int:
    return proposals.propose(
        cast.env.engine, member_id, changes, proposed_by=f"member:{member_id}", source="survey", now=MONDAY
    )


# ---------------------------------------------------------------------------------------------------------- the list


def test_the_list_is_searched_without_accents_and_keeps_what_was_asked(desk: SignedIn) -> None:
    page = desk("Amara").get("/members?q=obrien&status=active")

    assert page.words("#members tbody th") == [NORTH]
    assert page.one("#narrow-q")["value"] == "obrien"
    assert page.one("#narrow-status option[selected]")["value"] == "active"
    assert page.follow(NORTH).words("h1") == [NORTH]


def test_bo_never_sees_the_north(cast: Cast, desk: SignedIn) -> None:
    bo = desk("Bo")
    ask(cast, {"note": "Hush"})

    for path in ("/members", "/members?q=bad", "/members?team=North", "/members/proposals", "/members?asked=1"):
        page = bo.get(path)
        assert "Brien" not in page.text and "Ålesund" not in page.text and "Premier" not in page.text, path
    assert bo.get("/members/suggest?q=o").response.text.strip() == ""
    assert "South Pool" in bo.get("/members/suggest?q=so").response.text
    assert "Brien" not in bo.get("/members/export.csv").response.text
    for path in ("", "/edit", "/history", "/contacts/new", "/contacts/1"):
        bo.get(f"/members/M-000001{path}", status=404)
    bo.get("/members/Ö'Brien & <Söhne>", status=404)
    bo.get("/members/M-000003/merge", status=403)


def test_a_long_list_has_pages_in_both_directions(cast: Cast, desk: SignedIn) -> None:
    cast.members(*(f"Pool {n:03}" for n in range(120)), team="South")
    bo = desk("Bo")

    first = bo.get("/members?q=pool")
    second = first.follow("Next")
    third = second.follow("Next")
    assert [len(page.all("#members tbody tr")) for page in (first, second, third)] == [50, 50, 21]
    assert third.all("a[rel=next]") == []
    assert third.follow("Previous").words("#members tbody th") == second.words("#members tbody th")
    assert "121 members found" in third.main


def test_nobody_found_and_nobody_there_say_what_to_do(cast: Cast, desk: SignedIn, visitor: Client) -> None:
    assert "No member is found" in desk("Amara").get("/members?q=zzz").main
    assert visitor.http.get("/members", follow_redirects=False).status_code == 303


def test_an_htmx_request_gets_the_list_alone(desk: SignedIn) -> None:
    answer = desk("Amara").get("/members", hx_request="true").response.text
    assert answer.lstrip().startswith("<section") and "Ålesund Bad" in answer


def test_the_export_is_safe_for_spreadsheets_and_can_be_imported_again(
    cast: Cast, desk: SignedIn, tmp_path: Path
) -> None:
    cast.members('=HYPERLINK("evil")', team="South")
    with transaction(cast.env.engine) as conn:
        row = {"member_id": 2, "position": 2, "email": "second@members.example", "role": "deputy"}
        store.insert_contacts(conn, [row])
        store.mark_bounced(conn, {"m2@members.example": "550 No such user"}, now=MONDAY)
    answer = desk("Mina").get("/members/export.csv").response
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert [row["name"] for row in rows] == ["Ålesund Bad", '\'=HYPERLINK("evil")', NORTH, "South Pool"]
    assert (rows[2]["email"], rows[0]["email"]) == ("m1@members.example", "second@members.example")
    assert "attachment" in answer.headers["content-disposition"]
    file = tmp_path / "again.csv"
    file.write_bytes(answer.content)
    mapping = {name: name for name in rows[0] if name != "flags"}
    report = import_members(
        cast.env.engine, file, mapping, leaving_share=0.1, leaving_count=5, actor=SYSTEM, now=MONDAY
    )
    assert (report.created, report.updated, report.unchanged, report.refused) == (0, 0, 4, ())


# ---------------------------------------------------------------------------------------------------------- one member


def test_a_member_has_everything_on_one_page(cast: Cast, desk: SignedIn) -> None:
    opened = a_complaint(cast, "Amara", NORTH, "Cold water")
    ended = a_complaint(cast, "Amara", NORTH, "Rude letter")
    fire(cast.env, ended, "withdraw", actor=cast.actor("Amara"))
    with transaction(cast.env.engine) as conn:
        store.mark_bounced(conn, {"m1@members.example": "550 No such user"}, now=MONDAY)
    declare_conflict(
        cast.env.engine, "max@muster.example", "M-000001", "Sits on their board.", actor=SYSTEM, now=MONDAY
    )
    update_member(cast.env.engine, "M-000001", {"tier": "General"}, actor=cast.actor("Mina"), now=MONDAY)

    page = desk("Amara").get("/members/M-000001")

    assert opened in page.words("#open-cases tbody th")
    assert ended in page.words("#closed-cases tbody th")
    assert ended in " ".join(page.words("#messages tbody tr"))
    assert "550 No such user" in page.main and "Nobody can be written to." in page.main
    assert "Max has a conflict of interest" in page.main and "Sits on their board." in page.main
    assert page.words("#history tbody tr")[0].startswith("2 Mar 2026, 09:00 Mina by hand Tier: Premier → General")
    assert "/cases/new/complaint?member=M-000001" in [a["href"] for a in page.all(".heading-actions a")]


def test_another_name_of_a_member_leads_to_its_page(desk: SignedIn) -> None:
    assert desk("Amara").get("/members/m-000001").path == "/members/M-000001"
    assert desk("Amara").get("/members/%C3%85lesund%20Bad").path == "/members/M-000002"
    desk("Amara").get("/members/Nobody", status=404)


def test_who_may_only_read_finds_no_button_that_would_be_refused(cast: Cast, desk: SignedIn) -> None:
    page = desk("Cara").get("/members/M-000001")

    assert page.all('main form[method="post"]') == []
    assert not any("/edit" in a["href"] or "/contacts/" in a["href"] for a in page.all("main a"))
    desk("Cara").get("/members/M-000001/edit", status=403)


def test_the_whole_history_is_there_page_by_page(cast: Cast, desk: SignedIn) -> None:
    for n in range(25):
        update_member(cast.env.engine, "M-000001", {"tier": f"T{n}"}, actor=cast.actor("Mina"), now=MONDAY)

    first = desk("Amara").get("/members/M-000001").follow("All of it")
    second = first.follow("Next")
    assert len(first.all("tbody tr")) == 20 and len(second.all("tbody tr")) == 6
    assert second.all("a[rel=next]") == []


# ---------------------------------------------------------------------------------------------------------- changing


def test_a_member_is_changed_and_the_page_says_so(cast: Cast, desk: SignedIn) -> None:
    form = desk("Amara").get("/members/M-000001/edit").form("#member")
    page = form.submit(tier="Gold", joined_on="2020-05-01", flags=["VULNERABLE"])

    assert "is changed." in page.main and "Vulnerable" in page.words("h1 + p")[0]
    assert cast.rows("SELECT tier, version FROM members WHERE id = 1") == [("Gold", 2)]
    assert "Joined on: nothing → 1 May 2020" in desk("Amara").get("/members/M-000001").words("#history tbody tr")[0]


def test_a_form_that_is_sent_as_it_was_changes_nothing_and_says_so(cast: Cast, desk: SignedIn) -> None:
    page = desk("Amara").get("/members/M-000001/edit").form("#member").submit()

    assert "Nothing was changed" in page.main
    assert cast.scalar("SELECT version FROM members WHERE id = 1") == 1


def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(desk: SignedIn) -> None:
    form = desk("Amara").get("/members/M-000001/edit").form("#member")
    page = form.submit(name=" ", language="klingon", tier="Gold")

    assert page.status == 422
    assert "A member needs a name." in page.words("#field-name-error")[0]
    assert "is not a language code" in page.words("#field-language-error")[0]
    days = page.form("#member").submit(name="O'Brien", language="en", joined_on="2026-01-02", left_on="2026-01-01")
    assert days.status == 422 and "cannot leave on 2026-01-01" in days.main
    again = page.form("#member").submit(name="O'Brien", language="en")
    assert "O'Brien is changed." in again.main and "Gold" in again.words("#facts")[0]


def test_two_who_edit_at_once_see_both_and_lose_nothing(cast: Cast, desk: SignedIn) -> None:
    mine = desk("Amara").get("/members/M-000001/edit").form("#member")
    theirs = desk("Mina").get("/members/M-000001/edit").form("#member")
    theirs.submit(tier="Gold", region="West")

    page = mine.submit(tier="Silver", website="https://new.example")

    assert page.status == 409
    assert "was changed by someone else in the meantime" in page.main and "Mina" in page.main
    assert page.one("#field-tier")["value"] == "Silver"
    assert "Gold" in page.words("#field-tier-error")[0]
    assert page.one("#field-region")["value"] == "West"
    assert "is changed." in page.form("#member").submit().main
    assert cast.rows("SELECT tier, region, website FROM members WHERE id = 1") == [
        ("Silver", "West", "https://new.example")
    ]


def test_a_member_given_to_another_team_is_out_of_sight_and_said_to_be(desk: SignedIn) -> None:
    form = desk("Amara").get("/members/M-000001/edit").form("#member")
    page = form.submit(team="South")

    assert page.path == "/members" and "It is now the South team's." in page.main


def test_the_cases_of_a_member_go_with_it_to_the_other_team(cast: Cast, desk: SignedIn) -> None:
    opened, _, ended = (a_complaint(cast, "Amara", NORTH, each) for each in ("Cold water", "Loud", "Rude letter"))
    fire(cast.env, ended, "withdraw", actor=cast.actor("Amara"))

    page = desk("Amara").get("/members/M-000001/edit").form("#member").submit(team="South")

    moved = cast.rows("SELECT team, coordinator_id IS NULL OR coordinator_id = owner_id FROM cases")
    assert set(moved) == {("South", True)} and f"{len(moved)} cases went with it." in page.main
    of_bo = desk("Bo").get("/members/M-000001")
    assert opened in of_bo.words("#open-cases tbody th") and ended in of_bo.words("#closed-cases tbody th")
    assert "From North to South, with its member. Bo owns it now." in desk("Bo").get(f"/cases/{opened}").main
    desk("Amara").get(f"/cases/{opened}", status=404)
    assert run_checks(cast.env, now=MONDAY).ok
    assert follow_teams(cast.env, now=MONDAY) == 0


def test_a_case_that_nobody_is_left_to_see_goes_along_and_says_whom_it_lets_in(cast: Cast) -> None:
    a_complaint(cast, "Amara", NORTH, "Cold water")
    dov, bo = (int(cast.actor(name).person.removeprefix("staff:")) for name in ("Dov", "Bo"))
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET restricted_to = ARRAY[:d], owner_id = :d, coordinator_id = :d"), {"d": dov})
    update_member(cast.env.engine, "M-000001", {"team": "South"}, actor=cast.actor("Mina"), now=MONDAY)

    assert follow_teams(cast.env, now=MONDAY) == 1
    assert cast.rows("SELECT team, owner_id, restricted_to FROM cases") == [("South", bo, [dov, bo])]
    assert cast.scalar("SELECT details ->> 'let_in' FROM case_events WHERE kind = 'team_changed'") == f"staff:{bo}"


def test_a_status_that_only_a_decision_lifts_is_not_offered(cast: Cast, desk: SignedIn) -> None:
    page = desk("Amara").get("/members/M-000001/edit")
    assert [o["value"] for o in page.all("#field-status option")] == ["prospect", "active", "leaving", "left"]


def test_a_member_is_added_with_its_first_contact(cast: Cast, desk: SignedIn) -> None:
    form = desk("Bo").get("/members/new").form("#member")
    bad = form.submit(name="Malmö Bad", contact_email="nonsense")
    assert bad.status == 422 and "not an e-mail address" in bad.words("#field-contact_email-error")[0]
    page = bad.form("#member").submit(contact_email="malmo@members.example", contact_name="Åsa")

    assert page.words("h1") == ["Malmö Bad"] and page.all('a[href="mailto:malmo%40members.example"]')
    assert cast.rows("SELECT team FROM members WHERE name = 'Malmö Bad'") == [("South",)]
    again = desk("Bo").get("/members/new").form("#member").submit(name="Malmö Bad")
    assert again.status == 422 and "is in the register already" in again.main


# ---------------------------------------------------------------------------------------------------------- contacts


def test_contacts_are_added_ordered_let_go_and_brought_back(cast: Cast, desk: SignedIn) -> None:
    amara = desk("Amara")
    page = amara.get("/members/M-000001/contacts/new").form("#contact").submit(name="Zoë", email="zoe@members.example")
    assert page.words("#contacts tbody th") == [f"{NORTH} Written to first", "Zoë"]

    page = page.form('form[action$="/contacts/4/up"]').submit()
    assert page.words("#contacts tbody th") == ["Zoë Written to first", NORTH]
    page = page.form('form[action$="/contacts/4/left"]').submit()
    assert "“Bring back” undoes this." in page.main
    assert page.words("#contacts tbody th") == ["Zoë", f"{NORTH} Written to first"]
    page = page.form('form[action$="/contacts/4/back"]').submit()
    assert page.words("#contacts tbody th") == ["Zoë Written to first", NORTH]
    assert "Zoë" in page.words("#history")[0] or "zoe@" in page.words("#history")[0]


def test_a_bounced_address_is_repaired_by_saying_so_or_by_a_new_one(cast: Cast, desk: SignedIn) -> None:
    with transaction(cast.env.engine) as conn:
        store.mark_bounced(conn, {"m1@members.example": "550", "m2@members.example": "550"}, now=MONDAY)
    amara = desk("Amara")

    page = amara.get("/members/M-000001").form('form[action$="/repaired"]').submit()
    assert "is written to again" in page.main
    page = amara.get("/members/M-000002/contacts/2").form("#contact").submit(email="new@members.example")
    assert "Works" in page.words("#contacts tbody")[0]


def test_two_who_order_contacts_at_once_do_not_undo_each_other(cast: Cast, desk: SignedIn) -> None:
    amara = desk("Amara")
    amara.get("/members/M-000001/contacts/new").form("#contact").submit(email="zoe@members.example")
    stale = amara.get("/members/M-000001").form('form[action$="/contacts/4/up"]')
    desk("Mina").get("/members/M-000001/contacts/new").form("#contact").submit(email="new@members.example")

    assert stale.submit().status == 409


def test_two_who_edit_a_contact_at_once_see_both(cast: Cast, desk: SignedIn) -> None:
    mine = desk("Amara").get("/members/M-000001/contacts/1").form("#contact")
    desk("Mina").get("/members/M-000001/contacts/1").form("#contact").submit(phone="+44 1")

    page = mine.submit(phone="+44 2", name="Ann")
    assert page.status == 409 and "+44 1" in page.words("#field-phone-error")[0]
    assert "The contact is kept." in page.form("#contact").submit().main
    assert cast.rows("SELECT name, phone FROM contacts WHERE id = 1") == [("Ann", "+44 2")]


# ---------------------------------------------------------------------------------------------------------- proposals


def test_a_proposal_is_accepted_from_the_members_page(cast: Cast, desk: SignedIn) -> None:
    number = ask(cast, {"website": "https://new.example", "note": "We <b>moved</b>."})
    amara = desk("Amara")
    assert "1 proposed change" in amara.get("/members").main

    page = amara.get("/members/M-000001")
    assert "We <b>moved</b>." in page.words(f"#proposal-{number}")[0]
    page = page.form(f'form[action="/members/proposals/{number}/accept"]').submit()
    assert "is changed as was proposed." in page.main and "https://new.example" in page.words("#facts")[0]
    assert "Accepted on 2 Mar 2026, 09:00 by Amara" in page.main


def test_a_proposal_is_accepted_in_part(cast: Cast, desk: SignedIn) -> None:
    contact = {"do": "change", "id": 1, "email": "ann@members.example", "name": "Ann"}
    number = ask(cast, {"website": "https://new.example", "region": "West", "contacts": [contact]})
    page = desk("Amara").get("/members/M-000001")
    assert [box["value"] for box in page.all("[name=take]")] == ["region", "website", "contacts.0"]
    form = page.form(f"#accept-{number}")

    assert "Tick what is to be accepted, or decline it." in form.submit(take=None).main
    page = form.submit(take=["region", "contacts.0"])

    assert "what was not ticked stays as it was" in page.main
    assert "by Amara: not taken: Website" in page.words(f"#proposal-{number}")[0]
    assert cast.rows("SELECT website, region FROM members WHERE id = 1") == [("https://old.example", "West")]
    assert cast.rows("SELECT name, email FROM contacts WHERE id = 1") == [("Ann", "ann@members.example")]


def test_the_case_a_proposal_came_from_is_named_to_who_may_see_it(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast, "Amara", NORTH, "Cold water")
    proposals.propose(cast.env.engine, 1, {"note": "Hi"}, proposed_by="contact:1", source=ref, now=MONDAY)
    assert ref in desk("Amara").get("/members/proposals").main

    restrict(cast.env, ref, ["max@muster.example"], actor=cast.actor("Max"))
    assert ref not in desk("Amara").get("/members/proposals").main
    assert ref not in desk("Amara").get("/members/M-000001").main


def test_a_proposal_is_declined_from_the_list_with_a_reason(cast: Cast, desk: SignedIn) -> None:
    number = ask(cast, {"website": "https://new.example"})
    page = desk("Mina").get("/members/proposals")
    page = page.form(f'form[action$="/{number}/decline"]').submit(reason="Not ours.")

    assert page.path == "/members/proposals" and "The proposal is declined." in page.main
    assert "No change is proposed" in page.main
    decided = desk("Amara").get("/members/M-000001").words(f"#proposal-{number}")[0]
    assert "Declined on 2 Mar 2026, 09:00" in decided and "by Mina: Not ours." in decided


def test_whoever_decides_second_is_told_who_was_first(cast: Cast, desk: SignedIn) -> None:
    number = ask(cast, {"website": "https://new.example"})
    form = desk("Amara").get("/members/M-000001").form(f'form[action$="/{number}/accept"]')
    desk("Mina").get("/members/proposals").form(f'form[action$="/{number}/decline"]').submit(reason="No.")

    assert "This proposal was declined in the meantime by Mina." in form.submit().main


def test_an_outdated_proposal_shows_both_and_asks_for_a_second_look(cast: Cast, desk: SignedIn) -> None:
    number = ask(cast, {"website": "https://new.example"})
    form = desk("Amara").get("/members/M-000001").form(f'form[action$="/{number}/accept"]')
    update_member(cast.env.engine, "M-000001", {"website": "https://x.example"}, actor=cast.actor("Mina"), now=MONDAY)

    page = form.submit()
    assert "Please look again" in page.main
    told = page.words(f"#proposal-{number}")[0]
    assert "https://old.example" in told and "https://x.example" in told and "Changed since" in told
    assert "as was proposed" in page.form(f'form[action$="/{number}/accept"]').submit("Accept all the same").main


# ---------------------------------------------------------------------------------------------------------- merging


def test_merging_shows_what_would_happen_and_then_does_it(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast, "Amara", "Ålesund Bad", "Cold water")
    page = desk("Mina").get("/members/M-000001/merge").form("#choose").submit(other="Ålesund Bad")

    assert "1 contact comes over" in page.main and "1 open case" in page.main
    page = page.form("#merge").submit()
    assert page.path == "/members/M-000001" and "The two are one now" in page.main
    assert ref in page.words("#open-cases tbody th")
    assert "M-000002 Ålesund Bad" in page.main
    assert desk("Amara").get("/members/M-000002").path == "/members/M-000001"


def test_a_wrong_merge_is_taken_apart_again_while_nothing_else_was_changed(cast: Cast, desk: SignedIn) -> None:
    columns = "id, status, team, tier, website, external_ref, flags, left_on, merged_into"
    what = (
        f"SELECT {columns} FROM members ORDER BY id", "SELECT id, member_id, position, role FROM contacts ORDER BY id",
        "SELECT id, member_id FROM cases ORDER BY id", "SELECT staff_id, member_id FROM conflicts_of_interest",
        "SELECT id, member_id FROM member_proposals",
    )  # fmt: skip
    changes = {"external_ref": "X-2", "add_flags": ["VIP"], "site": "Pier"}
    update_member(cast.env.engine, "M-000002", changes, actor=cast.actor("Mina"), now=MONDAY)
    declare_conflict(cast.env.engine, "max@muster.example", "M-000002", actor=SYSTEM, now=MONDAY)
    ask(cast, {"note": "Call us"}, member_id=2)
    ref = a_complaint(cast, "Amara", "Ålesund Bad", "Cold water")
    before, mina = [cast.rows(each) for each in what], desk("Mina")

    mina.get("/members/M-000001/merge").form("#choose").submit(other="M-000002").form("#merge").submit()
    fire(cast.env, ref, "withdraw", actor=cast.actor("Amara"))
    page = mina.get("/members/M-000001").form('form[action$="/take-apart"]').submit()

    assert page.path == "/members/M-000002" and "an entry of its own again. 1 case went back" in page.main
    assert [cast.rows(each) for each in what] == before
    assert "Gave back M-000002 Ålesund Bad" in mina.get("/members/M-000001").words("#history")[0]
    mina.get("/members/M-000001/merge").form("#choose").submit(other="M-000002").form("#merge").submit()
    form = mina.get("/members/M-000001").form('form[action$="/take-apart"]')
    update_member(cast.env.engine, "M-000001", {"tier": "Gold"}, actor=cast.actor("Max"), now=MONDAY)
    assert "something was changed since" in form.submit().main
    assert not mina.get("/members/M-000001").all('form[action$="/take-apart"]')


def test_merging_with_itself_or_with_nobody_is_refused_and_a_stale_look_is_not_enough(
    cast: Cast, desk: SignedIn
) -> None:
    mina = desk("Mina")
    assert "itself; choose the other" in mina.get("/members/M-000001/merge?other=M-000001").main
    assert "No member has" in mina.get("/members/M-000001/merge?other=nobody").main
    form = mina.get("/members/M-000001/merge?other=M-000002").form("#merge")
    update_member(cast.env.engine, "M-000002", {"tier": "Gold"}, actor=cast.actor("Max"), now=MONDAY)
    assert form.submit().status == 409
    assert cast.scalar("SELECT count(*) FROM members WHERE status = 'merged'") == 0
