"""The pages of a sign-off campaign: planned from a form, looked at while it runs, closed, and handed out as a file."""

from __future__ import annotations

import csv
import io

from sqlalchemy import text

from config.database import transaction
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.signing_story import fire, in_force
from tests.signoff_story import NAMES, launched, newest, signers, signs


def test_a_sign_off_is_planned_from_a_form(cast: Cast, desk: SignedIn) -> None:
    signers(cast)
    mina = desk("Mina")
    assert "No document is in force yet" in mina.get("/campaigns/new?kind=signoff").main

    code = in_force(cast)
    page = mina.get("/campaigns/new").follow("A document to sign")
    typed = {"title": "Code 2026", "launch": "2026-03-09", "deadline": "2026-04-08", "document": code}
    assert "5 members would be asked today" in page.form("#plan").send(typed, button="See who would be asked").main
    wrong = page.form("#plan").send(typed | {"deadline": "2026-03-01"}, button="Plan this campaign")
    assert wrong.status == 422
    assert "The deadline must be after the launch" in wrong.main
    done = wrong.form("#plan").send({"deadline": "2026-04-08"}, button="Plan this campaign")
    assert "Code 2026 is planned" in done.main
    assert "Code of Practice, version 3.0" in done.main


def test_the_pages_of_a_sign_off_name_signatures_and_offer_no_questions(cast: Cast, desk: SignedIn) -> None:
    signers(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE contacts SET role = 'executive' WHERE member_id = 5"))
    story = launched(cast, in_force(cast))
    assert signs(story, NAMES[0]) == "valid"
    mina = desk("Mina")

    overview = mina.get(f"/campaigns/{story.ref}")
    assert "1 of 5, 20 %" in overview.main
    assert not overview.all("a[href$='/results']") and not overview.all("a[href$='answers.csv']")
    assert "Signature valid" in overview.main
    mina.get(f"/campaigns/{story.ref}/results", status=422)
    mina.get(f"/campaigns/{story.ref}/answers.csv", status=422)
    listed = mina.get(f"/campaigns/{story.ref}/members?state=awaited")
    assert [link["href"] for link in listed.all("tbody th a")] == [f"/cases/{newest(story, n)}" for n in NAMES[1:]]
    case = mina.get(f"/campaigns/{story.ref}/responses/{newest(story, NAMES[1])}")
    assert case.path == f"/cases/{newest(story, NAMES[1])}"
    assert case.follow("The campaign it belongs to").path == f"/campaigns/{story.ref}"
    assert f"Sign-off {story.ref}" in mina.get("/campaigns").main
    told = desk("Bo").http.get(f"/campaigns/{story.ref}/signatures.csv").content.decode("utf-8-sig")
    assert [(row["name"], row["version"]) for row in csv.DictReader(io.StringIO(told))] == [(NAMES[4], "3.0")]

    for name in NAMES[1:4]:
        signs(story, name)
    fire(cast, newest(story, NAMES[4]), "refuse", "Bo", statement="Never.", name="Chandra Rao")
    story.at("2026-03-10")
    story.at("2026-03-11")
    page = desk("Sol").get(f"/campaigns/{story.ref}/exceptions")
    assert page.one("td[data-label='Monitoring case'] a").get_text().startswith("MC-")
    done = page.form("#exceptions").submit(common="In monitoring", reason="All others have signed")
    assert "never called 100 %" in done.text
