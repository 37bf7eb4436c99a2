"""What a member sees of a monitoring case, and of a complaint that is about it: what it was told, what it may do."""

from __future__ import annotations

from cases import commands
from cases.own.links import token_of
from state_machines.values import SYSTEM
from tests.asked import fire, leaver
from tests.cast import Cast
from tests.pages.inspector import Client

FINDING = {
    "criterion": "communication", "severity": "minor", "source": "desk research", "source_date": "2026-02-27",
    "evidence": "The website says so; Ivo of the press team found it.",
}  # fmt: skip
TRIAGED = {
    "criterion": "communication", "clause": "4.2", "severity": "minor", "reliability": "A", "credibility": "1",
    "duplicates_checked": True,
}  # fmt: skip
ASKED = {"questions": "Since when do you claim this?", "approved": True, "source_redacted": True}


def asked(cast: Cast) -> tuple[str, str]:
    """A monitoring case in which the member was asked something, and its personal page."""
    [number] = cast.members("Chandra Mills")
    member = cast.scalar("SELECT ref FROM members WHERE id = :id", id=number)
    case = commands.open_one(
        cast.env, "monitoring", member=member, subject="A claim without a licence", payload=FINDING,
        actor=cast.actor("Amara"),
    ).after  # fmt: skip
    fire(cast, case.ref, "start_triage", "Amara")
    fire(cast, case.ref, "accept", "Amara", **TRIAGED)
    fire(cast, case.ref, "ask_member", "Amara", **ASKED)
    return case.ref, f"/m/{token_of(cast.env, 'member', case.id)}"


def respondent(cast: Cast) -> str:
    """The personal page of a member whom a complaint is about."""
    [number] = cast.members("Chandra Mills")
    member = cast.scalar("SELECT ref FROM members WHERE id = :id", id=number)
    payload = {"description": "They do not pay overtime.", "complainant_name": "Jo Doe", "profile": "BETTER_COTTON",
               "complainant_email": "jo@example.org"}  # fmt: skip
    case = commands.open_one(
        cast.env, "complaint", member=member, subject="Jo Doe about overtime", payload=payload, actor=SYSTEM
    ).after
    issues = [{"category": "Overtime"}]
    fire(cast, case.ref, "acknowledge", "Amara", issues=issues, understanding="Overtime", adjustments_asked=True)
    return f"/m/{token_of(cast.env, 'member', case.id)}"


def test_a_member_that_was_asked_replies_once(visitor: Client, cast: Cast) -> None:
    _, home = asked(cast)
    form = visitor.get(home).follow("Reply").form()

    form.submit(statement="Since March; the licence is on its way.")
    page = form.submit(statement="Since March; the licence is on its way.")

    assert page.path == home
    assert cast.scalar("SELECT count(*) FROM case_events WHERE trigger = 'reply'") == 1
    assert "Thank you. We have it." in page.main


def test_a_member_reads_by_when_and_in_words_meant_for_it(visitor: Client, cast: Cast) -> None:
    _, home = asked(cast)

    page = visitor.get(home)
    form = page.follow("Reply")

    assert "We asked you something. Please reply by Friday 20 March 2026" in page.main
    assert "Your reply" in form.main and "In the member's words" not in form.main


def test_a_member_sees_nothing_of_what_is_said_inside(visitor: Client, cast: Cast) -> None:
    _, home = asked(cast)

    page = visitor.get(home)

    for inside in ("Ivo", "desk research", "4.2", "Amara", "licence", "severity"):
        assert inside not in page.text


def test_whom_a_complaint_is_about_gives_its_side_and_never_learns_who_complained(visitor: Client, cast: Cast) -> None:
    home = respondent(cast)
    page = visitor.get(home)
    assert "Overtime" in page.main
    for secret in ("Jo Doe", "jo@example.org", "do not pay"):
        assert secret not in page.text

    page = page.follow("Give your side").form().submit(reply="We pay it from this month on.")

    assert "We have a reply of yours" in page.main
    assert page.all('form[action$="/do/withdraw"]') == []


def test_a_payer_sees_the_end_and_no_button(visitor: Client, cast: Cast) -> None:
    leaver(cast)
    case = commands.open_one(
        cast.env, "cancellation", member="M-000001", subject="Leaves", actor=cast.actor("Amara"),
        payload={"channel": "letter", "payer_name": "Pat Rao", "payer_email": "pat@example.org",
                 "wants_no_offers": True, "verbatim": "I am ill."},
    ).after  # fmt: skip

    page = visitor.get(f"/p/payer/{token_of(cast.env, 'party:payer', case.id)}")

    assert "31 March 2026" in page.main
    assert page.all("form") == [] and "ill" not in page.main.split()
