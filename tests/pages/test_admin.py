"""The administrators' pages: staff, teams, absences, API keys, mail, and how the installation is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from cases.commands import open_one
from cases.locking import lock_ids
from cases.team_names import rename_team
from config import clock
from config.database import reading, transaction
from members import store
from members.commands import add_staff, set_absence, set_team, staff_left
from members.writing import apply_changes
from notifications import outbox
from notifications.values import NewMessage
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page
from tests.pages.test_sign_in import signed_in_as
from tests.shell.test_breaker import until_somebody_waits
from tests.shell.test_passwords import GOOD, delivered, found, person
from web.accounts import feeds, tokens
from web.saved_views import save

TUESDAY = MONDAY.date() + timedelta(days=1)
FRIDAY = MONDAY.date() + timedelta(days=4)
FOR_ADMINISTRATORS = ("/admin/staff", "/admin/staff/new", "/admin/staff/1", "/admin/staff/4/leave", "/admin/teams",
                      "/admin/teams/edit", "/admin/tokens")  # fmt: skip
FOR_LEADERS = ("/admin", "/admin/absences", "/admin/mail")


def away(cast: Cast, name: str, deputy: str | None = None, first: date = TUESDAY, last: date = FRIDAY) -> None:
    stands_in = f"{deputy.lower()}@muster.example" if deputy else None
    email = f"{name.lower()}@muster.example"
    set_absence(cast.env.engine, email, first, last, deputy=stands_in, actor=SYSTEM, now=MONDAY)


def at(cast: Cast, name: str) -> str:
    return f"/admin/staff/{person(cast, name).id}"


# ------------------------------------------------------------------------------------------------- who may enter


@pytest.mark.parametrize("path", [*FOR_ADMINISTRATORS, *FOR_LEADERS])
def test_an_administrator_enters_everywhere_and_a_coordinator_nowhere(desk: SignedIn, path: str) -> None:
    desk("Ada").get(path)
    page = desk("Amara").get(path, status=403)
    assert "This page is for" in page.main


@pytest.mark.parametrize("name", ["Mina", "Sol"])
def test_managers_see_how_it_is_and_who_is_away_and_no_more(desk: SignedIn, name: str) -> None:
    client = desk(name)
    for path in FOR_LEADERS:
        page = client.get(path)
        assert page.words(".admin-tabs a") == ["Overview", "Absences", "Mail"]
    for path in FOR_ADMINISTRATORS:
        client.get(path, status=403)


def test_nobody_lends_administration_to_a_deputy(cast: Cast, desk: SignedIn) -> None:
    away(cast, "Ada", "Amara", MONDAY.date())

    desk("Amara").get("/admin/staff", status=403)


def test_who_acts_for_a_manager_gets_the_managers_pages(cast: Cast, desk: SignedIn) -> None:
    away(cast, "Mina", "Amara", MONDAY.date())

    page = desk("Amara").get("/admin/absences")

    assert "Bo" in " ".join(page.words("#field-of option"))


# ------------------------------------------------------------------------------------------------------ the overview


def test_the_overview_says_how_things_are(cast: Cast, desk: SignedIn) -> None:
    page = desk("Ada").get("/admin")

    assert "No deadline is watched yet" in page.main
    assert "A sandbox, for trying out" in page.main
    assert "Nothing has failed." in page.main
    assert dict(zip(page.words(".figure span"), page.words(".figure strong"), strict=True))["on the staff"] == "7"


# --------------------------------------------------------------------------------------------------------- the staff


def test_the_staff_is_listed_searched_and_narrowed(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    page = ada.get("/admin/staff")
    assert page.words("tbody th a") == ["Ada", "Amara", "Bo", "Cara", "Max", "Mina", "Sol"]

    assert page.form("#narrow").submit(q="north").words("tbody th a") == ["Amara"]
    assert page.form("#narrow").submit(role="manager").words("tbody th a") == ["Max", "Mina"]
    assert page.form("#narrow").submit(here="left").words("tbody th a") == ["Dov"]
    assert "Nobody is like that" in page.form("#narrow").submit(q="zzz <b>").main


def test_a_long_list_has_a_second_page(cast: Cast, desk: SignedIn) -> None:
    for n in range(60):
        add_staff(cast.env.engine, f"Ünal {n:02}", f"u{n}@muster.example", ["site"], actor=SYSTEM, now=MONDAY)
    ada = desk("Ada")

    first = ada.get("/admin/staff?role=site")
    second = first.follow("Next")

    assert (len(first.all("tbody tr")), len(second.all("tbody tr"))) == (50, 10)
    assert second.follow("Previous").words("tbody th a")[0] == "Ünal 00"
    for odd in ("0", "-1", "x", "999999", "٣"):
        ada.get(f"/admin/staff?page={odd}")


def add(client: Client, **typed: Any) -> Page:
    values = {"name": "Ève Ødegård", "email": "eve@muster.example", "roles": ["coordinator"], "team": "North"}
    return client.get("/admin/staff/new").form("#add").send({**values, **typed})


def test_somebody_new_gets_an_invitation_and_can_sign_in(cast: Cast, desk: SignedIn, visitor: Client) -> None:
    page = add(desk("Ada"), manager=person(cast, "Mina").person)

    assert "Ève Ødegård is on the staff; an invitation is on its way." in page.text
    assert "Added as coordinator" in page.main and "Ada" in page.words(".history li")[0]
    [mail] = delivered(cast)
    assert "Ada has given you access" in mail.text and mail.to_email == "eve@muster.example"
    link = "/password/" + mail.text.partition("/password/")[2].split()[0]
    visitor.get(link).form("#choose").send({"new_password": [GOOD, GOOD]})
    assert signed_in_as(visitor) == "Ève Ødegård"


def test_nobody_is_mailed_when_the_box_is_not_ticked(cast: Cast, desk: SignedIn) -> None:
    add(desk("Ada"), invite=None)

    assert delivered(cast) == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "amara@muster.example"}, "already belongs to Amara"),
        ({"email": "eve"}, "is not an e-mail address"),
        ({"roles": []}, "at least one role"),
        ({"roles": ["system"]}, "is not a role"),
        ({"name": "  "}, "name is required"),
    ],
)
def test_who_cannot_be_added_is_said_and_nothing_typed_is_lost(
    cast: Cast, desk: SignedIn, typed: dict[str, Any], words: str
) -> None:
    page = add(desk("Ada"), **typed)

    assert page.status == 422 and words in page.main
    assert page.one("#field-team")["value"] == "North"
    assert cast.scalar("SELECT count(*) FROM staff") == 8


def test_somebody_is_changed_and_the_record_says_by_whom(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    typed = {"name": "Amara Okafor", "roles": ["coordinator", "finance"], "team": "South"}
    page = ada.get(at(cast, "Amara")).form("#edit").send({**typed, "manager": person(cast, "Max").person})

    assert "Amara Okafor is as you want it." in page.text
    told = page.words(".history li")[0]
    for words in ("Name: Amara → Amara Okafor", "Team: North → South", "Manager: Mina → Max", "Ada"):
        assert words in told
    assert "Coordinator, finance" in told
    assert len(ada.get(at(cast, "Amara")).form("#edit").submit().words(".history li")) == len(page.words(".history li"))


def test_two_who_change_the_same_person_do_not_undo_each_other(cast: Cast, desk: SignedIn) -> None:
    form = desk("Ada").get(at(cast, "Amara")).form("#edit")
    form.send({"team": "South"})

    page = form.send({"name": "Amara Okafor"})

    assert page.status == 409 and "Somebody else changed this person" in page.main
    assert page.one("#field-name")["value"] == "Amara Okafor"
    assert (person(cast, "Amara").name, person(cast, "Amara").team) == ("Amara", "South")


def test_an_absence_entered_meanwhile_stops_no_change(cast: Cast, desk: SignedIn) -> None:
    form = desk("Ada").get(at(cast, "Amara")).form("#edit")
    away(cast, "Amara", "Bo")

    assert "is as you want it" in form.send({"team": "South"}).text


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("Ada", {"roles": ["coordinator"]}, "the last administrator"),
        ("Amara", {"email": "bo@muster.example"}, "already belongs to Bo"),
        ("Amara", {"roles": []}, "at least one role"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    cast: Cast, desk: SignedIn, name: str, typed: dict[str, Any], words: str
) -> None:
    page = desk("Ada").get(at(cast, name)).form("#edit").send(typed)

    assert page.status == 422 and words in page.main


def test_nobody_manages_their_own_manager(cast: Cast, desk: SignedIn) -> None:
    sol, mina = person(cast, "Sol"), person(cast, "Mina")

    page = desk("Ada").get(f"/admin/staff/{sol.id}").form("#edit").send({"manager": mina.person})

    assert page.status == 422 and "also not in a circle" in page.main


def test_a_new_address_makes_links_to_the_old_one_void(cast: Cast, desk: SignedIn, visitor: Client) -> None:
    ada = desk("Ada")
    ada.get(at(cast, "Bo")).form("#invite").submit()
    [mail] = delivered(cast)
    link = "/password/" + mail.text.partition("/password/")[2].split()[0]

    ada.get(at(cast, "Bo")).form("#edit").send({"email": "bo.new@muster.example"})

    visitor.get(link, status=410)


def test_somebody_who_is_not_there_is_not_found(desk: SignedIn) -> None:
    for path in ("/admin/staff/4711", "/admin/staff/4711/leave", "/admin/staff/one"):
        desk("Ada").get(path, status=404)


# ------------------------------------------------------------------------------------------------- coming and going


def test_leaving_shows_first_who_gets_the_work_and_then_does_so(cast: Cast, desk: SignedIn) -> None:
    cast.members("North Pool")
    add_staff(cast.env.engine, "Nia", "nia@muster.example", ["coordinator"], team="North", actor=SYSTEM, now=MONDAY)
    amara = person(cast, "Amara").id
    for number in range(2):
        open_complaint(cast, number)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET owner_id = :n, coordinator_id = :n"), {"n": amara})
    ada, amaras = desk("Ada"), desk("Amara")

    page = ada.get(at(cast, "Amara")).follow("Has left …")
    assert "owns 2 open cases" in page.main and "Nia : 2 cases" in page.main
    assert cast.scalar("SELECT count(*) FROM cases WHERE owner_id = :n", n=amara) == 2, "looking gives nothing away"
    done = page.form("#leave").submit()

    assert "Amara has left and is signed out. 2 cases went to others." in done.text
    assert cast.scalar("SELECT count(*) FROM cases WHERE owner_id = :n", n=person(cast, "Nia").id) == 2
    assert signed_in_as(amaras) is None
    assert "Has left on 2 March 2026" in done.words(".history li")[0]
    again = done.form("#back").submit()
    assert "works here again" in again.text and person(cast, "Amara").active


def open_complaint(cast: Cast, number: int) -> None:
    open_one(
        cast.env, "complaint", member="North Pool", subject=f"Cold water {number}", payload={"category": "service"},
        actor=cast.actor("Amara"), now=MONDAY,
    )  # fmt: skip


def test_what_else_must_be_arranged_is_listed(cast: Cast, desk: SignedIn) -> None:
    set_team(cast.env.engine, "North", [], lead="mina@muster.example", actor=SYSTEM, now=MONDAY)
    away(cast, "Max", "Mina")

    page = desk("Ada").get(f"{at(cast, 'Mina')}/leave")

    for words in ("Manages Amara, Bo", "Leads North", "Stands in for Max"):
        assert words in page.main


def test_nobody_leaves_by_their_own_hand_or_before_the_day(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    page = ada.get(f"{at(cast, 'Bo')}/leave").form("#leave").send({"on": "2026-03-09"})
    assert page.status == 422 and "on the day" in page.main

    refused = ada.get(f"{at(cast, 'Ada')}/leave").form("#leave").submit()
    assert refused.status == 422 and "Another administrator" in refused.main
    assert person(cast, "Ada").active and person(cast, "Bo").active


def test_an_administrator_signs_somebody_out_and_cancels_links(cast: Cast, desk: SignedIn, visitor: Client) -> None:
    ada, bo = desk("Ada"), desk("Bo")
    ada.get(at(cast, "Bo")).form("#invite").submit()
    [mail] = delivered(cast)

    page = ada.get(at(cast, "Bo")).form("#sign-them-out").submit()

    assert "Bo is signed out everywhere." in page.text and signed_in_as(bo) is None
    assert page.words(".history li")[0].startswith("Was signed out everywhere")
    visitor.get("/password/" + mail.text.partition("/password/")[2].split()[0], status=410)


def test_keys_and_calendar_addresses_end_with_signing_out_where_that_is_ticked(cast: Cast, desk: SignedIn) -> None:
    amara, ada = person(cast, "Amara").id, desk("Ada")
    assert not ada.get(at(cast, "Amara")).all("[name=secrets]")
    with transaction(cast.env.engine) as conn:
        key = tokens.make(conn, "Export", ["metrics"], staff_id=amara, made_by=amara, now=clock.utc_now())
        feed = feeds.make(conn, amara, titles=False, absences=False, now=clock.utc_now())

    def holding() -> list[bool]:
        with reading(cast.env.engine) as conn:
            return [tokens.find(conn, key, now=clock.utc_now()) is not None, feeds.find(conn, feed) is not None]

    of_amara = desk("Amara")
    assert of_amara.get("/account").form("#everywhere").submit().path == "/sign-in" and holding() == [True, True]
    ada.get(at(cast, "Amara")).form("#sign-them-out").submit()
    assert holding() == [True, True]
    again = desk("Amara").get("/account").form("#everywhere").submit(secrets="true")
    assert "your calendar addresses and keys are ended" in again.text and holding() == [False, False]


def test_who_has_left_is_sent_nothing(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    form = ada.get(at(cast, "Bo")).form("#invite")

    assert ada.post(f"{at(cast, 'Dov')}/invite", form.values).status == 422
    assert delivered(cast) == []


# --------------------------------------------------------------------------------------------------------- the teams


def test_a_team_is_made_with_rules_and_members_join_it(cast: Cast, desk: SignedIn) -> None:
    cast.members("West Pool", "Wales Pool", team=None, region="West")
    cast.members("East Pool", team=None, region="East")
    ada = desk("Ada")
    form = ada.get("/admin/teams").follow("Make a team").form("#team")

    page = form.send({"name": "West", "lead": person(cast, "Mina").person, "rules.0.region": "West, Wales",
                      "rules.1.region": "Cornwall", "rules.1.tier": "Premier"})  # fmt: skip

    assert "The team West is kept; 2 members joined it." in page.text
    west = next(row for row in page.all("tbody tr") if "West" in row.get_text())
    words = " ".join(west.get_text(" ").split())
    assert "Region is West or Wales or Region is Cornwall, and Tier is Premier Mina" in words
    assert "1 member belongs to no team" in page.main
    again = page.follow("West").form("#team")
    assert ("rules.1.tier", "Premier") in again.values
    after = again.send({"rules.1.region": "", "rules.1.tier": "", "lead": ""})
    assert "Cornwall" not in after.words("tbody")[0]
    assert after.words(".history li")[0].startswith("Team West changed") and "Ada" in after.words(".history li")[0]


def test_a_team_needs_a_name(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    for name, told in ((" ", "needs a name"), ("NONE", "by that word"), ("W" * 81, "up to 80 characters")):
        assert told in ada.get("/admin/teams/edit").form("#team").send({"name": name}).main
    ada.get("/admin/teams/edit").form("#team").send({"name": " Far\n  West "})
    assert cast.rows("SELECT name FROM teams") == [("Far West",)]
    ada.get("/admin/teams/edit?name=Nowhere", status=404)


def test_a_team_gets_another_name_everywhere_at_once(cast: Cast, desk: SignedIn) -> None:
    cast.members("North Pool", team="North")
    given = {"category": "service", "complainant_name": "Carl", "complainant_email": "c@x.example"}
    ref = open_one(cast.env, "complaint", member="North Pool", subject="Cold", payload=given,
                   actor=cast.actor("Amara")).after.ref  # fmt: skip
    set_team(cast.env.engine, "North", [{"region": ["N"]}], lead="amara@muster.example", actor=SYSTEM, now=MONDAY)
    save(cast.env, "Ours", "/cases", "team=North&process=complaint", staff_id=person(cast, "Amara").id, now=MONDAY)
    ada = desk("Ada")

    taken = ada.get("/admin/teams/edit?name=North").form("#team").send({"name": "south"})
    page = taken.form("#team").send({"name": "Nord & Öst"})

    assert taken.status == 422 and "There is a team south already" in taken.main
    assert "The team Nord & Öst is kept" in page.text and "Team: North → Nord & Öst" in page.words(".history li")[0]
    amara = desk("Amara")
    assert ref in amara.get("/cases?team=Nord+%26+%C3%96st").main and ref in amara.get("/queue").main
    assert amara.get("/members?team=Nord+%26+%C3%96st").words("#members tbody th") == ["North Pool"]
    assert cast.rows("SELECT query FROM saved_views") == [("team=Nord+%26+%C3%96st&process=complaint",)]
    for table in ("members", "staff", "cases"):
        assert cast.scalar(f"SELECT count(*) FROM {table} WHERE team = 'North'") == 0
    desk("Bo").get(f"/cases/{ref}", status=404)


def test_a_team_that_somebody_else_renamed_meanwhile_does_not_come_back(cast: Cast, desk: SignedIn) -> None:
    cast.members("Far Pool", team="West")
    ada = desk("Ada")
    mine, later = (ada.get("/admin/teams").follow("West").form("#team") for _ in range(2))

    mine.send({"name": "Far West"})

    for name in ("West", "Wild West"):
        assert "There is no team West any more" in later.send({"name": name}).main
    assert cast.rows("SELECT name FROM teams") == [("Far West",)]


def test_a_team_is_renamed_while_a_case_of_it_changes_its_member(cast: Cast) -> None:
    a_complaint(cast)
    ada = cast.actor("Ada")

    def rename() -> None:
        with transaction(cast.env.engine) as conn:
            rename_team(conn, "North", "Nord", actor=ada, now=MONDAY)

    with ThreadPoolExecutor(1) as pool:
        with transaction(cast.env.engine) as conn:
            lock_ids(conn, [1])
            renaming = pool.submit(rename)
            until_somebody_waits(conn)
            apply_changes(conn, [(1, {"tier": "Gold"})], actor=SYSTEM, now=MONDAY)
        renaming.result()
    assert cast.rows("SELECT c.team, m.team, m.tier FROM cases c, members m") == [("Nord", "Nord", "Gold")]


# ---------------------------------------------------------------------------------------------------------- absences


def test_a_manager_records_absences_of_their_own_people_alone(cast: Cast, desk: SignedIn) -> None:
    mina, max_ = desk("Mina"), desk("Max")
    form = mina.get("/admin/absences").form("#absence")
    typed = {"from": "2026-03-03", "until": "2026-03-06"}

    page = form.send({"of": person(cast, "Amara").id, **typed})

    assert "The absence of Amara is recorded." in page.text
    assert page.words("#field-of option") == [
        "Please choose", "Ada, administrator", "Amara, coordinator, North", "Bo, coordinator, South", "Cara, council",
        "Mina, manager", "Sol, senior manager",
    ]  # fmt: skip
    refused = max_.get("/admin/absences").form("#absence").send({"of": person(cast, "Bo").id, **typed})
    assert refused.status == 403 and "Only Bo, their managers and an administrator" in refused.main
    assert not refused.all('form[action="/admin/absences/end"]')
    ended = max_.post("/admin/absences/end", [*max_.get("/admin/absences").form("#absence").values[:1],
                                              ("of", str(person(cast, "Amara").id)), ("on", "2026-03-03")])  # fmt: skip
    assert ended.status == 403 and "Only Amara, their managers" in ended.main
    assert cast.scalar("SELECT count(*) FROM absences") == 1


def test_absences_stand_in_a_calendar_and_can_be_called_off(cast: Cast, desk: SignedIn) -> None:
    away(cast, "Amara", "Bo")
    ada = desk("Ada")

    page = ada.get("/admin/absences")

    [row] = page.all(".away-calendar tbody tr")
    assert [n for n, cell in enumerate(row.select("td")) if "away" in cell.get_text()] == [1, 2, 3, 4]
    assert page.words('[data-label="Stands in"]') == ["Bo"]
    after = page.form('form[action="/admin/absences/end"]').submit()
    assert "Amara stays." in after.text and "Nobody is away" in after.main
    assert "Stays after all" in ada.get(at(cast, "Amara")).words(".history li")[0]


def test_a_deputy_who_is_away_as_well_is_said(cast: Cast, desk: SignedIn) -> None:
    away(cast, "Amara", "Bo")
    away(cast, "Bo", "Max", FRIDAY, FRIDAY + timedelta(days=7))

    told = desk("Ada").get("/admin/absences").words('[data-label="To know"]')

    assert told[0] == "look at it Bo is not there either on 1 working day, first 6 March 2026; Max acts"


def test_overlaps_and_circles_are_refused_with_what_was_typed(cast: Cast, desk: SignedIn) -> None:
    away(cast, "Amara", "Bo")
    form = desk("Ada").get("/admin/absences").form("#absence")
    amara, bo = person(cast, "Amara"), person(cast, "Bo")

    overlap = form.send({"of": amara.id, "from": "2026-03-06", "until": "2026-03-10"})
    assert overlap.status == 422 and "already away" in overlap.main
    assert overlap.one("#field-of option[selected]")["value"] == str(amara.id)
    circle = form.send({"of": bo.id, "from": "2026-03-06", "until": "2026-03-10", "deputy": amara.person})
    assert "Bo → Amara → Bo" in circle.main


def test_a_link_from_a_person_chooses_them(cast: Cast, desk: SignedIn) -> None:
    page = desk("Ada").get(at(cast, "Bo")).follow("Record or end an absence")

    assert page.one("#field-of option[selected]")["value"] == str(person(cast, "Bo").id)


# ---------------------------------------------------------------------------------------------------------- API keys


def make_key(cast: Cast, client: Client, **typed: Any) -> Page:
    given = {"name": "Export", "of": person(cast, "Amara").id, "scopes": ["cases:read", "metrics"]}
    return client.get("/admin/tokens").form("#make").send({**given, **typed})


def test_a_key_is_shown_once_and_works(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    page = make_key(cast, ada)

    token = page.one(".made-key").get_text()
    bearer = found(cast, token)
    assert bearer is not None and bearer.scopes == {"cases:read", "metrics"}
    later = ada.get("/admin/tokens")
    assert token not in later.response.text and "Export works" in later.words("tbody th")[0]
    assert page.response.headers["cache-control"] == "no-store"
    gone = later.form('form[action="/admin/tokens/revoke"]').submit()
    assert "The key works no more." in gone.text and found(cast, token) is None
    assert "Export revoked" in gone.words("tbody th")[0]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": " "}, "a name"),
        ({"scopes": []}, "at least one thing"),
        ({"scopes": ["everything"]}, "at least one thing"),
        ({"until": "2020-01-01"}, "must lie ahead"),
        ({"until": "soon"}, "must be a date"),
        ({"of": 4711}, "nobody with this number"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(cast: Cast, desk: SignedIn, typed: dict[str, Any], words: str) -> None:
    page = make_key(cast, desk("Ada"), **typed)

    assert page.status == 422 and words in page.main
    assert cast.scalar("SELECT count(*) FROM api_tokens") == 0


def test_a_key_may_have_no_last_day_but_nobody_who_has_left(cast: Cast, desk: SignedIn) -> None:
    ada = desk("Ada")
    page = make_key(cast, ada, until="")
    assert found(cast, page.one(".made-key").get_text()) is not None

    assert "has left" in make_key(cast, ada, of=person(cast, "Dov").id).main


# -------------------------------------------------------------------------------------------------------------- mail


def failed(cast: Cast, count: int = 1) -> None:
    with transaction(cast.env.engine) as conn:
        dov = person_id(conn, "dov")
        messages = [
            NewMessage(key=f"test:{n}", kind="password_changed", audience=f"person:{dov}") for n in range(count)
        ]
        outbox.enqueue(conn, messages, now=MONDAY)
        fate = "UPDATE messages SET state = 'failed', reason = 'mailbox <full>', decided_at = :now"
        conn.execute(text(fate), {"now": MONDAY})


def person_id(conn: Any, name: str) -> int:
    found = store.staffing(conn).by_email(f"{name}@muster.example")
    assert found is not None
    return found.id


def test_failed_mail_is_shown_with_its_reason_and_tried_again(cast: Cast, desk: SignedIn) -> None:
    failed(cast, 2)
    ada = desk("Ada")
    assert "Some mail could not be sent" in ada.get("/admin").main
    page = ada.get("/admin/mail")
    assert page.words("#retry tbody th") == ["Your password was changed"] * 2
    assert "mailbox <full>" in page.main and "Dov" in page.main

    number = str(page.all("#retry input[type=checkbox][name=id]")[0]["value"])
    after = page.form("#retry").send({"id": [number]})

    assert "1 message will be tried again" in after.text
    assert cast.scalar("SELECT state FROM messages WHERE id = :n", n=int(number)) == "queued"
    assert "Nothing was chosen" in page.form("#retry").submit().main


def test_a_long_outbox_has_a_second_page(cast: Cast, desk: SignedIn) -> None:
    failed(cast, 60)
    ada = desk("Ada")

    first = ada.get("/admin/mail?state=failed")
    second = first.follow("Next")

    assert (len(first.all("#retry tbody tr")), len(second.all("#retry tbody tr"))) == (50, 10)
    assert len(second.follow("Previous").all("#retry tbody tr")) == 50
    for odd in ("state=odd", "before=x", "before=0", "before=99999999999999999999"):
        ada.get(f"/admin/mail?{odd}")


def test_an_empty_outbox_says_so(desk: SignedIn) -> None:
    page = desk("Ada").get("/admin/mail")
    assert "Nothing has failed" in page.main
    assert "Nothing waits" in page.follow("Waiting 0").main


def test_bringing_back_somebody_who_never_left_changes_nothing_and_ends_no_key(cast: Cast, desk: SignedIn) -> None:
    number, real = int(cast.actor("Bo").person.removeprefix("staff:")), clock.utc_now()
    with transaction(cast.env.engine) as conn:
        key = tokens.make(conn, "A program", ["cases:read"], staff_id=number, made_by=number, now=real)
    ada = desk("Ada")
    csrf = ada.get("/account").one('form[action="/sign-out"] input[name=csrf]')["value"]
    assert ada.post(f"/admin/staff/{number}/back", {"csrf": csrf}).status == 200
    with reading(cast.env.engine) as conn:
        assert tokens.find(conn, key, now=real) is not None


@pytest.mark.parametrize("recorded_at_the_desk", [True, False])
def test_keys_of_somebody_who_left_stay_dead_when_they_come_back(
    cast: Cast, desk: SignedIn, *, recorded_at_the_desk: bool
) -> None:
    number, real = int(cast.actor("Bo").person.removeprefix("staff:")), clock.utc_now()
    with transaction(cast.env.engine) as conn:
        key = tokens.make(conn, "A program", ["cases:read"], staff_id=number, made_by=number, now=real)
    ada = desk("Ada")
    if recorded_at_the_desk:
        ada.get(f"/admin/staff/{number}/leave").form("#leave").submit()
    else:
        staff_left(cast.env.engine, "bo@muster.example", left_on=MONDAY.date(), actor=cast.actor("Ada"), now=MONDAY)
    ada.get(f"/admin/staff/{number}").form(f'form[action="/admin/staff/{number}/back"]').submit()
    with reading(cast.env.engine) as conn:
        assert tokens.find(conn, key, now=real) is None
