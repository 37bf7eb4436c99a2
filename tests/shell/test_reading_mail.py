"""Reading one message of a case: as it was sent, or as it would be sent now; looking changes nothing."""

from __future__ import annotations

import pytest

from cases.commands import fire, open_one
from cases.errors import CaseNotFound
from cases.reading_mail import letter
from config.database import transaction
from tests.cast import MONDAY, Cast

ACKNOWLEDGED = {"issues": "Cold water", "understanding": "The pool was cold.", "adjustments_asked": True}


def a_letter(cast: Cast, email: str = "zoe@example.org") -> tuple[str, int]:
    """Acknowledge a complaint; return its reference and the number of the letter that waits."""
    cast.members("Acme")
    payload = {"category": "pool", "complainant_name": "Zoë Łuczak", "complainant_email": email}
    ref = open_one(cast.env, "complaint", member="Acme", subject="Cold pool", payload=payload,
                   actor=cast.actor("Amara"), now=MONDAY).after.ref  # fmt: skip
    fire(cast.env, ref, "acknowledge", payload=ACKNOWLEDGED, actor=cast.actor("Amara"), now=MONDAY)
    return ref, cast.scalar("SELECT max(id) FROM messages")


def test_a_letter_that_waits_is_read_as_it_would_leave_and_stays_as_it_was(cast: Cast) -> None:
    ref, number = a_letter(cast)
    before = cast.rows("SELECT * FROM messages ORDER BY id")

    found = letter(cast.env, ref, number, actor=cast.actor("Amara"))

    assert (found.foreseen, found.to, found.reason) == (True, "Zoë Łuczak <zoe@example.org>", None)
    assert "Cold water" in found.text and "Cold water" in found.html
    assert cast.rows("SELECT * FROM messages ORDER BY id") == before


def test_a_letter_that_would_be_held_back_says_why(cast: Cast) -> None:
    ref, number = a_letter(cast)
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql("UPDATE messages SET state = 'suppressed', reason = 'no address on file'")

    found = letter(cast.env, ref, number, actor=cast.actor("Amara"))

    assert (found.text, found.reason, found.foreseen) == ("", "no address on file", False)


def test_a_letter_is_of_its_own_case_and_of_those_who_may_see_it(cast: Cast) -> None:
    ref, number = a_letter(cast)
    other = open_one(cast.env, "complaint", member="Acme", subject="Other", payload={"category": "x"},
                     actor=cast.actor("Amara"), now=MONDAY).after.ref  # fmt: skip

    for actor, case in (("Bo", ref), ("Amara", other)):
        with pytest.raises(CaseNotFound):
            letter(cast.env, case, number, actor=cast.actor(actor))
