"""One thing done to many cases: what would become of each is shown first, and each is done or refused by itself."""

from __future__ import annotations

import pytest

from cases import commands
from cases.errors import BadInput
from cases.lists import bulk, bulk_work, worklist
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Page
from tests.shell.test_commands import a_complaint
from tests.shell.test_worklist import away, some

NOTE = "Add a note"
REFER = {"destination": "data_protection", "reason": "It is about another organisation."}


def ticked(page: Page, *refs: str) -> Page:
    """The page after these were ticked: what can be done with them."""
    values = [str(box["value"]) for box in page.all("input[name=bulk-case]")]
    chosen = [value for value in values if value.partition("@")[0] in refs]
    return page.form("#bulk").send({"bulk-case": chosen}, button="Do something with the ticked cases")


def results(page: Page, table: str = "#results") -> dict[str, str]:
    """What is said of each case, by reference."""
    rows = page.all(f"{table} tbody tr")
    return {row.select_one("a").get_text(): " ".join(row.select_one("td").get_text(" ").split()) for row in rows}  # type: ignore[union-attr]


def test_a_note_is_written_on_every_ticked_case_and_on_no_other(cast: Cast, desk: SignedIn) -> None:
    first, second, third = some(cast, 1, 2, 3)

    page = ticked(desk("Amara").get("/queue?due=week"), first, second)
    assert "possible for 2 of 2" in page.main
    page = page.form("#actions").submit(button=NOTE)
    assert results(page, "#preview") == dict.fromkeys((first, second), "Will happen The note will be written.")
    page = page.form("#bulk-form").send({"bulk-note": "Called all of them."})

    assert results(page) == dict.fromkeys((first, second), "Done The note is written.")
    assert page.one("h1").get_text() == "Add a note: 2 cases done"
    assert page.follow("Back to the list").path == "/queue?due=week"
    written = cast.rows(
        "SELECT c.ref FROM cases c JOIN event_personal p ON p.case_id = c.id WHERE p.data ->> 'text' <> ''"
    )
    assert sorted(row.ref for row in written) == sorted([first, second])
    assert third not in page.main


def test_all_on_the_page_can_be_taken_without_ticking_each(cast: Cast, desk: SignedIn) -> None:
    refs = some(cast, 1, 2)

    page = desk("Amara").get("/queue").form("#bulk").submit(button="With all 2 on this page")

    assert "Do something with 2 cases" in page.main
    assert all(ref in page.main for ref in refs)
    page = page.client.get("/bulk")
    assert page.path == "/queue"
    assert "Tick the cases again" in page.main, "who reloads is led back"


def test_the_whole_list_as_it_is_narrowed_can_be_taken_at_once(
    cast: Cast, desk: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, later = some(cast, 1, 2, 30)
    monkeypatch.setitem(worklist.queue_page.__kwdefaults__, "size", 1)

    page = desk("Amara").get("/queue?due=week").form("#bulk").submit(button="With the first 200 of the list")

    assert "Do something with 2 cases" in page.main
    assert [ref in page.main for ref in (first, second, later)] == [True, True, False]


def test_ticking_nothing_or_too_much_is_answered_with_a_sentence(cast: Cast, desk: SignedIn) -> None:
    some(cast, 1)
    page = desk("Amara").get("/queue").form("#bulk").submit(button="Do something with the ticked cases")
    assert "Tick at least one case first." in page.main

    with pytest.raises(BadInput, match="That is 201 cases; up to 200 can be changed at once"):
        bulk.look(cast.env, {f"CO-{n}": 1 for n in range(201)}, actor=cast.actor("Amara"))


def test_before_anything_is_done_each_case_says_what_will_become_of_it_or_why_nothing_will(
    cast: Cast, desk: SignedIn
) -> None:
    open_, closed = a_complaint(cast, subject="Open"), a_complaint(cast, subject="Closed")
    commands.fire(cast.env, closed, "withdraw", actor=cast.actor("Amara"))

    page = ticked(desk("Amara").get("/cases?phase=all"), open_, closed)
    page = page.form("#actions").submit(button="Give to somebody else")
    told = results(page, "#preview")
    assert told[open_].startswith("Will happen Will be given away")
    assert told[closed] == "Will not The case is closed."
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'assigned'") == 0, "looking writes nothing"

    page = page.form("#bulk-form").send({"bulk-to": "bo@muster.example"})
    assert results(page) == {closed: "Not done The case is closed.", open_: "Done Given away."}
    assert desk("Bo").get("/queue").words("#cases a.row-link") == [open_]


def test_a_move_is_made_with_one_form_on_those_that_allow_it(cast: Cast, desk: SignedIn) -> None:
    ready, other, gone = (a_complaint(cast, subject=name) for name in ("Ready", "Other", "Gone"))
    commands.fire(cast.env, gone, "withdraw", actor=cast.actor("Amara"))

    page = ticked(desk("Amara").get("/cases?phase=all"), ready, other, gone).form("#actions").submit(button="Refer")
    assert results(page, "#preview")[ready] == "Will happen Will come to the state “Referred”."
    assert results(page, "#preview")[gone].startswith("Will not “Refer” is not possible while")
    empty = page.form("#bulk-form").submit()
    assert empty.status == 422
    assert "Please look at this again" in empty.main
    page = empty.form("#bulk-form").send(REFER)

    done = "Done; the state is “Referred” now."
    assert results(page) == {ready: f"Done {done}", other: f"Done {done}", gone: results(page)[gone]}
    assert results(page)[gone].startswith("Not done")


def test_a_case_that_somebody_changed_meanwhile_is_left_alone_and_the_others_are_done(
    cast: Cast, desk: SignedIn
) -> None:
    changed, same = some(cast, 1, 2)
    page = ticked(desk("Amara").get("/queue"), changed, same).form("#actions").submit(button=NOTE)
    commands.note(cast.env, changed, "Mina was here.", actor=cast.actor("Mina"))

    page = page.form("#bulk-form").send({"bulk-note": "Hello."})

    assert results(page)[changed].startswith("Changed meanwhile Somebody has changed this case")
    assert results(page)[same] == "Done The note is written."
    again = page.client.post("/bulk/do", [*_carried(page, same), ("bulk-note", "Hello.")])
    assert results(again)[same].startswith("Changed meanwhile"), "sending it twice does nothing twice"


def _carried(page: Page, ref: str) -> list[tuple[str, str]]:
    token = str(page.all("input[name=csrf]")[0]["value"])
    return [("csrf", token), ("bulk-action", "note"), ("bulk-case", f"{ref}@1"), ("bulk-typed", "yes")]


def test_who_stands_in_for_an_owner_does_it_on_their_behalf(cast: Cast, desk: SignedIn) -> None:
    [ref] = some(cast, 1)
    away(cast, "Amara", "Bo")

    page = ticked(desk("Bo").get("/queue"), ref).form("#actions").submit(button=NOTE)
    page.form("#bulk-form").send({"bulk-note": "Rang them."})

    event = cast.rows("SELECT actor, on_behalf_of FROM case_events WHERE kind = 'note'")[0]
    assert (event.actor, event.on_behalf_of) == (cast.actor("Bo").person, cast.actor("Amara").person)


def test_a_case_that_may_not_be_seen_is_neither_offered_nor_named(cast: Cast, desk: SignedIn) -> None:
    north = a_complaint(cast, subject="Zanzibar")
    [south] = some(cast, 1, team="South")
    page = desk("Bo").get("/queue")

    page = page.client.post("/bulk", [*_carried(page, north), ("bulk-case", f"{south}@1")])

    assert "1 ticked case is left out" in page.main
    assert "Zanzibar" not in page.text
    looked = bulk.look(cast.env, {north: 1}, actor=cast.actor("Bo"), now=MONDAY)
    assert bulk_work.carry_out(cast.env, looked, bulk.Action("note"), {}, note="Hello.") == []


def test_decisions_for_two_people_and_those_who_may_only_read_are_offered_nothing_here(cast: Cast) -> None:
    ref = a_complaint(cast)
    cara = bulk.look(cast.env, {ref: 1}, actor=cast.actor("Cara"), now=MONDAY)
    for each in cara.picked:
        assert all(not move.four_eyes for move, _ in each.moves.values())

    told = bulk_work.preview(cara, bulk.action_from("fire:approve:"))
    assert [each.done for each in told] == [False]
    with pytest.raises(BadInput):
        bulk.action_from("delete")
