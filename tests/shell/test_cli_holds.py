"""`muster holds`: what was held back is listed, shown and decided from the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cases.sweep import sweep_due
from tests.cast import MONDAY, Cast
from tests.shell.cli_runner import muster_of
from tests.shell.test_breaker import LEAVING, opened, policy_with

MINA = ("--as", "mina@muster.example")
AMARA = ("--as", "amara@muster.example")


def test_what_is_held_back_is_listed_shown_and_decided(cast: Cast) -> None:
    muster = muster_of(cast)
    assert muster("holds").out.strip() == "Nothing is held back."
    opened(cast, 4)
    opened(cast, 4, "cancellation", payload=LEAVING)
    cast.go_to(MONDAY + timedelta(days=120))
    sweep_due(replace(cast.env, policy=policy_with(cast.env.policy, late=3)))
    told = muster.json("holds")
    number = {one["process"]: str(one["number"]) for one in told["items"]}
    assert told["total"] == 2 and set(number) == {"complaint", "cancellation"}
    assert "complaint" in muster("holds").out
    refs = muster.json("holds", "show", number["complaint"], *MINA)["refs"]
    assert len(refs) == 4
    assert f"muster holds show {number['complaint']}" in muster("cases", "show", refs[0]).out
    assert muster.json("cases", "show", refs[0])["held_since"] is not None
    assert "case_overdue" in muster("holds", "show", number["complaint"], *MINA).out

    assert "Only managers" in muster("holds", "show", number["complaint"], *AMARA, code=1).err
    refused = muster("holds", "approve", number["complaint"], "--reason", "Go on", *AMARA, code=1)
    assert "Only managers" in refused.err
    assert "give a reason" in muster("holds", "approve", number["complaint"], "--reason", " ", *MINA, code=1).err
    assert "no such" not in muster("holds", "approve", "99", "--reason", "Go on", *MINA, code=1).out

    done = muster("holds", "approve", number["complaint"], "--reason", "We were offline", *MINA)
    assert "4 cases will go on with the next sweep" in done.out
    assert muster.json("cases", "show", refs[0])["held_since"] is None
    again = muster("holds", "decline", number["complaint"], "--reason", "Not now", *MINA, code=1)
    assert "decided meanwhile" in again.err
    leaving = ("holds", "decline", number["cancellation"], "--reason", "The clock was wrong", *MINA)
    assert "name the day" in muster(*leaving, code=1).err
    assert muster.json(*leaving, "--until", "2026-07-20")["cases"] == 4

    assert muster.json("holds")["total"] == 0
    decided = {one["process"]: (one["state"], one["reason"]) for one in muster.json("holds", "--all")["items"]}
    assert decided["complaint"] == ("approved", "We were offline")
    assert decided["cancellation"] == ("declined", "The clock was wrong")
    assert "Mina" in muster("holds", "--all").out


def test_the_status_says_how_much_is_held_back_since_when(cast: Cast) -> None:
    opened(cast, 4)
    now = cast.go_to(MONDAY + timedelta(days=30))
    muster = muster_of(cast)
    assert muster.json("status")["held_back"] == {"cases": 0, "since": None, "holds": []}
    sweep_due(replace(cast.env, policy=policy_with(cast.env.policy, late=3)))
    told = muster.json("status")["held_back"]
    assert (told["cases"], told["since"], told["holds"][0]["process"]) == (4, now.isoformat(), "complaint")
    assert "held back cases" in muster("status").out
    assert "held_back" in muster("check").out
