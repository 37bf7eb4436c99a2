"""What happens next to a case, and why something did or did not: on the desk, at the terminal and for programs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cases.commands import fire
from cases.delivering import deliver
from cases.demo import KeepingTransport
from cases.sweep import sweep_due
from config.database import transaction
from tests.cast import MONDAY, Cast
from tests.deciding import recommended
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client
from tests.shell.cli_runner import Muster
from web.accounts import tokens


def test_everything_that_comes_stands_on_a_page_with_who_is_written_to_and_why_it_ends(
    desk: SignedIn, cast: Cast
) -> None:
    ref = a_complaint(cast)
    amara = desk("Amara")

    page = amara.get(f"/cases/{ref}/next")

    first = page.words("#coming tbody tr")[0]
    assert first.startswith("6 Mar 2026, 09:00 Due soon the clock “acknowledgement” “Time is running out” to Amara")
    assert "then every 5 working days" in page.words("#coming")[0]
    assert page.words("#ending") == ["It goes on like that until somebody acts."]
    desk("Bo").get(f"/cases/{ref}/next", status=404)


def test_a_case_before_its_manager_can_be_asked_the_same(desk: SignedIn, cast: Cast) -> None:
    ref = recommended(cast)
    assert desk("Mina").get(f"/cases/{ref}/next").all("#coming tbody tr")
    assert desk("Mina").get(f"/cases/{ref}/why").all("tbody tr")


def test_the_history_leads_to_why_muster_did_something(desk: SignedIn, cast: Cast) -> None:
    ref, friday = a_complaint(cast), MONDAY + timedelta(days=4)
    cast.go_to(friday)
    sweep_due(cast.env)
    deliver(cast.env, transport=KeepingTransport({}))
    amara = desk("Amara")

    why = amara.get(f"/cases/{ref}").all('a[href*="/why?at="]')
    page = amara.get(str(why[-1]["href"]))

    assert "Last, “Due soon” was done on 6 March 2026, 09:00." in page.words("#answer")[0]
    assert "“Time is running out” was sent to Amara" in page.words("#answer")[0]
    assert page.words("tbody tr")[0].startswith("Due soon 6 Mar 2026, 09:00 Done 6 Mar 2026, 09:00 , event 2")


def test_any_moment_may_be_asked_for_and_what_is_none_is_told(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    cast.go_to(MONDAY + timedelta(days=5))
    amara = desk("Amara")

    before = amara.get(f"/cases/{ref}/why").form("#moment").submit(day="2026-03-03", hour="10:00")

    assert "Next would be “Due soon” on 6 March 2026, 09:00, and no sooner." in before.words("#answer")[0]
    assert "no day and time" in amara.get(f"/cases/{ref}/why?day=tomorrow", status=422).words("#moment-error")[0]
    assert "Late" in amara.get(f"/cases/{ref}/why").words("tbody tr")[0]
    desk("Bo").get(f"/cases/{ref}/why", status=404)
    amara.get(f"/cases/{ref}/why?at=2020-01-01", status=404)


def test_a_closed_case_says_that_nothing_more_comes(desk: SignedIn, cast: Cast) -> None:
    ref = a_complaint(cast)
    fire(cast.env, ref, "withdraw", payload={}, actor=cast.actor("Amara"), now=MONDAY)
    assert "nothing more happens by itself" in desk("Amara").get(f"/cases/{ref}/next").words("#ending")[0]
    assert "The case had ended" in desk("Amara").get(f"/cases/{ref}/why").words("#answer")[0]


def test_the_same_is_told_at_the_terminal_and_to_programs(
    cast: Cast, visitor: Client, engine_url: str, tmp_path: Path
) -> None:
    ref, muster = a_complaint(cast), Muster(engine_url, tmp_path / "home")
    me = int(cast.actor("Amara").person.removeprefix("staff:"))
    with transaction(cast.env.engine) as conn:
        key = tokens.make(conn, "test", ["cases:read"], staff_id=me, made_by=me, now=MONDAY)

    answer = visitor.http.get(f"/api/v1/cases/{ref}/next", headers={"authorization": f"Bearer {key}"}).json()
    said = muster("cases", "next", ref, "--json").json

    assert answer["items"][0]["messages"][0]["to"] == {"name": "Amara", "email": "amara@muster.example",
                                                       "instead_of": None}  # fmt: skip
    assert [each["trigger"] for each in said["items"]] == [each["trigger"] for each in answer["items"]]
    assert "Time is running out to Amara <amara@muster.example>" in muster("cases", "next", ref).out
    assert "Due soon (due_soon): not due yet" in muster("cases", "why", ref, "--rung", "due_soon").out
    assert muster("cases", "why", ref, "--json").json["clocks"][0]["rungs"][0]["verdict"] == "not due yet"
