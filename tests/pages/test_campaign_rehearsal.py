"""The rehearsal of a campaign at the desk: asked for, shown, read mail by mail, by whom it is for."""

from __future__ import annotations

from sqlalchemy import text

from cases.rehearsing.asked import ask, carry_out, forget_old
from cases.rehearsing.values import MODEL, Wish
from config.database import transaction
from tests.campaign_story import NORTH, Story, planned
from tests.cast import MONDAY, Cast
from tests.pages.conftest import SignedIn


def story_of(cast: Cast) -> Story:
    """A planned campaign among two members of the North and one of the South."""
    cast.members(*NORTH[:2], tier="General")
    cast.members("Ødegård Sør", team="South", tier="Associate")
    return planned(cast)


def test_a_campaign_is_rehearsed_at_the_desk_and_every_mail_can_be_read(cast: Cast, desk: SignedIn) -> None:
    story = story_of(cast)
    page = desk("Mina").get(f"/campaigns/{story.ref}").follow("Rehearse it")
    assert "Nothing is changed and no mail leaves" in page.main
    refused = page.form("#rehearse").send({"until": "2020-01-01"})
    assert refused.status == 422
    assert "ends between today and" in refused.main
    page = page.form("#rehearse").send({"answers": "none", "until": "2026-05-08"})
    assert "mails leave" in page.main
    assert "Approve plan” is taken for done today" in page.main
    assert "Public holiday" in page.main
    assert page.all("svg.plot-lines polygon.band")
    assert "No campaign of yours is closed yet" in page.main
    assert cast.scalar("SELECT count(*) FROM messages") == 0

    mails = page.follow("Read every mail")
    assert "Please answer by Monday 20 April 2026: Member pulse 2026" in mails.main
    assert "/m/…" in mails.main
    assert "None of these has been sent" in mails.follow("Next").main

    number = page.path.rpartition("=")[2]
    assert "Ødegård" not in desk("Amara").get(f"/campaigns/{story.ref}/rehearsal").main
    desk("Amara").get(f"/campaigns/{story.ref}/rehearsal?n={number}", status=404)
    desk("Amara").get(f"/campaigns/{story.ref}/rehearsal/mails?n={number}", status=404)
    desk("Ada").get(f"/campaigns/{story.ref}/rehearsal", status=403)


def test_one_that_still_runs_is_looked_at_again_and_one_that_died_says_so(cast: Cast, desk: SignedIn) -> None:
    story, mina = story_of(cast), cast.actor("Mina")
    number = ask(cast.env, story.ref, Wish(MODEL, 3), run=lambda *_: None, actor=mina, now=MONDAY)
    address = f"/campaigns/{story.ref}/rehearsal?n={number}"
    page = desk("Mina").get(address)
    assert "The rehearsal is running" in page.main
    assert page.response.headers["refresh"] == "3"
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE rehearsals SET touched_at = touched_at - interval '1 hour'"))
    assert "It was interrupted" in desk("Mina").get(address).main
    story.fire(story.ref, "cancel", "Mina", reason="Another time")
    carry_out(cast.env, number, story.ref, Wish(), mina, MONDAY)
    assert "is closed; there is nothing left to rehearse" in desk("Mina").get(address).main
    forget_old(cast.env)
    assert cast.scalar("SELECT count(*) FROM rehearsals") == 1
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE rehearsals SET begun_at = begun_at - interval '8 days'"))
    forget_old(cast.env)
    assert cast.scalar("SELECT count(*) FROM rehearsals") == 0
