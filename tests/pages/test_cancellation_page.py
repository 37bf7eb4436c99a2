"""Ending a membership from a link: one button on every step, one offer at most, nothing hidden, no pleading."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cases.own.leaving import leave
from cases.own.links import leave_token, token_of
from cases.sweep import sweep_due
from notifications.sealing import SEALED_LINK, unseal
from tests.asked import leaver
from tests.cast import MONDAY, Cast
from tests.pages.inspector import Client, Page

END = "End my membership"
OFFER = "See what we can offer first"
SHAMING = re.compile(
    r"\b(sorry to see|(miss|lose) out|are you sure|don.t go|regret|abandon|give up|unfortunately)\b", re.I
)


def door(cast: Cast, joined: str = "2024-01-10") -> str:
    """The page of a link that was asked for at MONDAY."""
    return f"/links/leave/{leave_token(cast.env, leaver(cast, joined=joined), asked_at=MONDAY)}"


def state(cast: Cast) -> str:
    return str(cast.scalar("SELECT state FROM cases WHERE process = 'cancellation'"))


def under_way(cast: Cast, **payload: object) -> str:
    """The page of a cancellation in which the member has not declined offers."""
    token = leave_token(cast.env, leaver(cast), asked_at=MONDAY)
    return f"/m/{token_of(cast.env, 'member', leave(cast.env, token, payload))}"


def pleads(page: Page) -> bool:
    return bool(SHAMING.search(page.main))


def test_the_entrance_says_the_same_to_everybody(visitor: Client, cast: Cast) -> None:
    leaver(cast)
    known = visitor.get("/cancel").form().submit(who="m1@members.example")
    unknown = visitor.get("/cancel").form().submit(who="nobody@example.org")

    assert known.main == unknown.main
    assert "Chandra" not in known.text
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'leave_link'") == 1
    assert cast.scalar("SELECT count(*) FROM cases") == 0


def test_the_mailed_link_opens_the_page_and_is_kept_sealed(visitor: Client, cast: Cast) -> None:
    leaver(cast)
    visitor.get("/cancel").form().submit(who="M-000001")

    data = cast.scalar("SELECT data FROM messages WHERE kind = 'leave_link'")
    link = unseal(cast.env.settings.secret_key.get_secret_value(), data[SEALED_LINK])

    assert link.startswith("http://127.0.0.1:8080/links/leave/")
    assert "Chandra Rao" in visitor.get(link).text


def test_last_day_and_last_payment_stand_there_before_anything_is_confirmed(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast))

    assert "Last day Tuesday 31 March 2026" in page.main
    assert "Last payment" in page.main
    assert cast.scalar("SELECT count(*) FROM cases") == 0


def test_nothing_is_promised_about_payments_of_which_we_know_nothing(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast))

    assert "nothing more is collected" not in page.main
    assert "on its usual day, if one is still due" in page.main
    after = page.form().submit(END)
    deliverable = cast.scalar("SELECT count(*) FROM messages WHERE kind = 'cancellation_end_notice'")
    assert deliverable == 1 and "nothing more is collected" not in after.main


def test_one_button_ends_it_and_a_second_click_changes_nothing(visitor: Client, cast: Cast) -> None:
    form = visitor.get(door(cast)).form()

    page = form.submit(END, reasons=["cost"])
    again = form.submit(END)

    assert state(cast) == "notice_running"
    assert "ends on Tuesday 31 March 2026" in page.main and page.path == again.path
    assert cast.scalar("SELECT count(*) FROM cases") == 1
    kinds = {row.kind for row in cast.rows("SELECT kind FROM messages WHERE audience = 'member'")}
    assert {"cancellation_receipt", "cancellation_end_notice"} <= kinds


def test_the_buttons_are_equal_and_nobody_pleads(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast))

    buttons = page.all(".buttons button")
    assert [b.text for b in buttons] == [END, OFFER]
    assert len({tuple(b["class"]) for b in buttons}) == 1
    assert not pleads(page)


def test_an_offer_is_one_page_from_which_one_can_leave_just_as_well(visitor: Client, cast: Cast) -> None:
    home = under_way(cast, reasons=["lack_of_time"])
    page = visitor.get(home)
    assert END in page.words("button")

    page = page.form(f'form[action="{home}/do/ask_for_offer"]').submit()

    assert state(cast) == "offer_made"
    assert "A freeze of your membership" in page.main and not pleads(page)
    assert END in page.words("button") and "Accept the offer" in page.words("button")
    sizes = {tuple(b["class"]) for b in page.all(".equal button")}
    assert len(sizes) == 1
    page.form(f'form[action="{home}/do/end_now_without_offers"]').submit()
    assert state(cast) == "notice_running"


def test_who_wants_to_see_an_offer_first_sees_the_one_that_fits(visitor: Client, cast: Cast) -> None:
    form = visitor.get(door(cast)).form()
    visitor.http.cookies.clear()  # a telephone forgets them when its browser is closed, and a mail scanner keeps none

    page = form.submit(OFFER, reasons=["lack_of_time"])
    assert page.status == 403 and cast.scalar("SELECT count(*) FROM cases WHERE process = 'cancellation'") == 0
    page = page.form("#again").submit()

    assert state(cast) == "offer_made"
    assert "A freeze of your membership" in page.main and END in page.words("button")


def test_an_offer_without_a_reason_is_asked_why_and_nothing_is_done(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast)).form().submit(OFFER, verbatim="I move away.")

    assert page.one("title").text.startswith("Error: ") and "depends on why you leave" in page.main
    assert "I move away." in page.text and END in page.words("button")
    assert cast.scalar("SELECT count(*) FROM cases WHERE process = 'cancellation'") == 0


def test_where_no_offer_fits_that_is_said_and_the_end_comes_by_itself(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast)).form().submit(OFFER, reasons=["competitor"])

    assert "no offer that fits" in page.main and END in page.words("button")
    cast.go_to(MONDAY + timedelta(days=1))
    sweep_due(cast.env)
    assert state(cast) == "notice_running"


def test_there_is_no_second_offer(visitor: Client, cast: Cast) -> None:
    home = under_way(cast, reasons=["lack_of_time"])
    form = visitor.get(home).form(f'form[action="{home}/do/ask_for_offer"]')
    form.submit()

    page = form.submit()

    assert page.all(f'form[action="{home}/do/ask_for_offer"]') == []
    assert len(cast.scalar("SELECT data -> 'offers' FROM cases")) == 1


def test_an_offer_is_accepted_only_by_saying_so(visitor: Client, cast: Cast) -> None:
    home = under_way(cast, reasons=["lack_of_time"])
    page = visitor.get(home).form(f'form[action="{home}/do/ask_for_offer"]').submit()
    form = page.form(f'form[action="{home}/do/accept_offer"]')

    assert form.submit().status == 422
    assert form.submit(agreed="true").path == home
    assert state(cast) == "saved"


def test_in_the_cooling_off_time_nothing_is_offered(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast, joined="2026-02-25"))
    assert [b.text for b in page.all(".buttons button")] == [END]
    assert "cooling-off" in page.main

    page = page.form().submit(END)

    assert state(cast) == "cooled_off"
    assert "is paid back" in page.main and "offer" not in page.main.lower()


@pytest.mark.parametrize("reasons", [[], ["lack_of_time"], ["money_trouble"]])
def test_until_notice_runs_every_step_has_the_button(visitor: Client, cast: Cast, reasons: list[str]) -> None:
    home = under_way(cast, reasons=reasons)

    page = visitor.get(home)

    assert state(cast) in ("contact_offered", "hardship")
    assert END in page.words("button") and not pleads(page)
    assert "Last day" in page.main


def test_notice_is_taken_back_while_it_runs_and_not_after(visitor: Client, cast: Cast) -> None:
    home = under_way(cast, wants_no_offers=True)
    form = visitor.get(home).form(f'form[action="{home}/do/revoke"]')
    assert form.submit().status == 422

    page = form.submit(agreed="true")

    assert "Your membership goes on" in page.main
    assert state(cast) == "revoked"
    assert cast.scalar("SELECT count(*) FROM messages WHERE kind = 'cancellation_revoked'") == 1


def test_after_the_end_the_page_says_that_it_is_over(visitor: Client, cast: Cast) -> None:
    home = under_way(cast, wants_no_offers=True)
    form = visitor.get(home).form(f'form[action="{home}/do/revoke"]')
    cast.go_to(MONDAY + timedelta(days=31))
    sweep_due(cast.env)

    assert "Your membership ended on Tuesday 31 March 2026" in visitor.get(home).main
    assert form.submit(agreed="true").status == 409


def test_a_link_that_was_used_leads_to_the_case(visitor: Client, cast: Cast) -> None:
    page = visitor.get(door(cast))
    page.form().submit(END)

    again = visitor.get(page.path)

    assert "taken already" in again.main
    assert "ends on Tuesday 31 March 2026" in again.follow("See how it stands").main


def test_an_old_link_says_what_to_do(visitor: Client, cast: Cast) -> None:
    address = door(cast)
    cast.go_to(MONDAY + timedelta(days=8))

    page = visitor.get(address, status=410)

    assert page.one('a[href="/links/new"]')
