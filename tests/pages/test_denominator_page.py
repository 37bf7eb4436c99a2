"""The page that says how the number of a campaign came about; a manager leaves members out and takes them back."""

from __future__ import annotations

import csv
import io

from sqlalchemy import text

from config.database import transaction
from tests.campaign_story import NORTH, SOUTH, launched, planned
from tests.cast import Cast
from tests.pages.conftest import SignedIn


def test_a_manager_leaves_a_member_out_and_takes_it_back_in(cast: Cast, desk: SignedIn) -> None:
    cast.members("Outside Ltd", status="prospect")
    cast.members(*NORTH, tier="General")
    cast.members(*SOUTH, team="South", tier="Associate")
    story = launched(cast)
    ref = cast.scalar("SELECT ref FROM members WHERE name = :n", n=NORTH[0])
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE members SET status = 'left' WHERE ref = :ref"), {"ref": ref})
    mina, path = desk("Mina"), f"/campaigns/{story.ref}/denominator"

    page = mina.get(path)
    assert "21 at the launch + 0 added − 0 left out = 21 . Of these: Answer in: 0" in " ".join(page.main.split())
    assert "Outside Ltd" in page.main and "Status is prospect" in page.main
    form = page.follow("Leave out …").form(f'form[action="/campaigns/{story.ref}/leave-out"]')
    assert form.submit(cause="left_membership", note="").status == 422
    done = form.submit(cause="left_membership", note="Their letter of 1 March.")
    assert "21 at the launch + 0 added − 1 left out = 20" in " ".join(done.main.split())
    assert "Their letter of 1 March." in done.main and "Mina" in done.main
    overview = " ".join(mina.get(f"/campaigns/{story.ref}").main.split())
    assert "20 members asked, 1 left out by the rule when it was launched, 1 left out since" in overview
    again = form.submit(cause="left_membership", note="Their letter of 1 March.")
    assert again.status == 422 and "left out already" in again.main

    lines = csv.DictReader(io.StringIO(mina.http.get(f"{path}.csv").text))
    assert {line["name"]: line["counts"] for line in lines if line["name"] in (NORTH[0], NORTH[1])} == {
        NORTH[0]: "no", NORTH[1]: "yes",
    }  # fmt: skip
    back = done.form(f'form[action="/campaigns/{story.ref}/take-back-in"]').submit(reason="It was another member.")
    assert "21 at the launch + 0 added − 0 left out = 21" in " ".join(back.main.split())

    amara = desk("Amara").get(path)
    assert "14 at the launch" in amara.main and not amara.all("form[action$=leave-out]")
    refused = desk("Amara").post(f"/campaigns/{story.ref}/leave-out", {"member": ref})
    assert refused.status == 403
    assert mina.get(f"/campaigns/{story.ref}").follow("how the number came about").path == path


def test_the_page_of_a_member_says_who_is_written_to_and_a_coordinator_chooses_another(
    cast: Cast, desk: SignedIn
) -> None:
    story = launched(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text(
            "INSERT INTO contacts (member_id, position, name, email, role)"
            " SELECT id, 2, 'Bea', 'bea@members.example', 'deputy' FROM members WHERE name = :n"
        ), {"n": NORTH[0]})  # fmt: skip
    ref = cast.scalar("SELECT ref FROM members WHERE name = :n", n=NORTH[0])
    page = desk("Amara").get(f"/members/{ref}")
    assert f"(invited): {NORTH[0]}, next Bea." in " ".join(page.one("#ladders").text.split())

    chosen = page.form("#ladders form").submit()
    assert "Bea. Was silent" in " ".join(chosen.one("#ladders").text.split())
    again = page.form("#ladders form").submit()
    assert "written to now" in again.main
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'choose_contact'") == 1
    assert story.response(NORTH[0])


def test_before_the_launch_nothing_is_frozen(cast: Cast, desk: SignedIn) -> None:
    story = planned(cast)
    assert "has not been launched" in desk("Mina").get(f"/campaigns/{story.ref}/denominator").main
