"""`muster messages` and `muster audit`: what left, what did not and why, and whether the record is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from config.database import transaction
from notifications.rendering import fingerprint
from notifications.tables import MessageRow
from tests.cast import MONDAY, Cast
from tests.shell.cli_runner import Muster, muster_of

AMARA = ("--as", "amara@muster.example")
BO = ("--as", "bo@muster.example")
FIELDS = {
    "id", "kind", "case", "audience", "state", "reason", "to", "subject", "not_before", "sent_at", "attempts",
}  # fmt: skip


@pytest.fixture
def muster(cast: Cast) -> Muster:
    cast.members("North Pool", team="North")
    return muster_of(cast)


def a_withdrawn_complaint(muster: Muster, subject: str = "Cold water") -> str:
    """Open a complaint and withdraw it, so that there is mail about it."""
    opened = ("cases", "open", "complaint", "--member", "North Pool", "--set", "category=service",
              "--set", "complainant_name=Carl", "--set", "complainant_email=carl@x.example")  # fmt: skip
    ref: str = muster.json(*opened, "--subject", subject, *AMARA)["ref"]
    muster("cases", "fire", ref, "withdraw", *AMARA)
    return ref


def mark(cast: Cast, number: int, **values: Any) -> None:
    with transaction(cast.env.engine) as conn:
        conn.execute(update(MessageRow).where(MessageRow.id == number).values(**values))


def mark_sent(cast: Cast, number: int) -> None:
    words = {"subject": "Your complaint", "body_text": "Dear member,\n", "body_html": "<p>Dear member,</p>"}
    whole = fingerprint(words["subject"], words["body_text"], words["body_html"])
    mark(cast, number, state="sent", sent_at=MONDAY, to_email="m1@members.example", to_name="North Pool",
         message_id="<1@x>", body_sha256=whole, **words)  # fmt: skip


def test_messages_are_listed_with_their_cases_state_and_reason(cast: Cast, muster: Muster) -> None:
    first, second = a_withdrawn_complaint(muster), a_withdrawn_complaint(muster, "Rude letter")
    listed = muster.json("messages", "list")
    mark(cast, listed["items"][0]["id"], state="suppressed", reason="no longer wanted")

    assert set(listed["items"][0]) >= FIELDS
    assert {item["case"] for item in listed["items"]} == {first, second}
    of_first = muster.json("messages", "list", "--case", first.lower())
    assert {item["case"] for item in of_first["items"]} == {first}
    assert of_first["total"] == len(of_first["items"])
    [suppressed] = muster.json("messages", "list", "--state", "suppressed")["items"]
    assert suppressed["reason"] == "no longer wanted"
    assert "suppressed: no longer wanted" in muster("messages", "list").out
    assert muster.json("messages", "list", "--limit", "1")["total"] == listed["total"]
    assert muster.json("messages", "list", "--kind", listed["items"][0]["kind"])["total"] >= 1


def test_a_state_or_kind_that_does_not_exist_is_refused(muster: Muster) -> None:
    muster("messages", "list", "--state", "lost", code=2)
    assert "no kind of message" in muster("messages", "list", "--kind", "lost", code=1).err
    assert "no such case" in muster("messages", "list", "--case", "CO-2026-000099", code=1).err


def test_mail_about_a_case_is_for_those_who_may_see_the_case(muster: Muster) -> None:
    ref = a_withdrawn_complaint(muster)
    number = str(muster.json("messages", "list")["items"][0]["id"])

    assert muster.json("messages", "list", *AMARA)["total"] == muster.json("messages", "list")["total"]
    assert muster.json("messages", "list", *BO) == {"items": [], "total": 0}
    assert "no such case" in muster("messages", "list", "--case", ref, *BO, code=1).err
    assert "not yours to see" in muster("messages", "show", number, *BO, code=1).err


def test_mail_about_no_case_is_for_whom_it_goes_to_and_for_managers(cast: Cast, muster: Muster) -> None:
    a_withdrawn_complaint(muster)
    number = muster.json("messages", "list")["items"][0]["id"]
    bo = int(cast.actor("Bo").person.removeprefix("staff:"))
    mark(cast, number, case_id=None, staff_id=bo)

    assert [item["id"] for item in muster.json("messages", "list", *BO)["items"]] == [number]
    assert number not in [item["id"] for item in muster.json("messages", "list", *AMARA)["items"]]
    assert number in [item["id"] for item in muster.json("messages", "list", "--as", "mina@muster.example")["items"]]


def test_a_message_is_shown_as_it_was_sent_and_a_changed_one_is_noticed(cast: Cast, muster: Muster) -> None:
    ref = a_withdrawn_complaint(muster)
    number = str(muster.json("messages", "list")["items"][0]["id"])
    assert "not written yet" in muster("messages", "show", number).out
    mark_sent(cast, int(number))

    shown = muster.json("messages", "show", number)
    assert shown["headers"]["To"] == "North Pool <m1@members.example>"
    assert (shown["headers"]["X-Muster-Case"], shown["genuine"]) == (ref, True)
    assert "Subject: Your complaint" in muster("messages", "show", number).out
    mark(cast, int(number), body_text="Dear friend,\n")
    assert "is not what was sent" in muster("messages", "show", number, code=1).err


def test_only_failed_messages_are_tried_again(cast: Cast, muster: Muster) -> None:
    a_withdrawn_complaint(muster)
    number = muster.json("messages", "list")["items"][0]["id"]
    assert "None of these has failed" in muster("messages", "requeue", str(number), code=1).err
    mark(cast, number, state="failed", reason="the server refuses it", attempts=8)

    assert muster.json("messages", "requeue", str(number)) == {"asked": 1, "requeued": 1}
    [again] = [item for item in muster.json("messages", "list")["items"] if item["id"] == number]
    assert (again["state"], again["attempts"], again["reason"]) == ("queued", 0, None)
    assert "no message 9999" in muster("messages", "requeue", "9999", code=1).err


def test_a_record_as_it_was_written_is_verified(muster: Muster) -> None:
    a_withdrawn_complaint(muster)

    report = muster.json("audit", "verify")

    assert (report["cases"], report["problems"]) == (1, [])
    assert report["events"] >= 2
    assert "all as it was written" in muster("audit", "verify").out


def test_a_record_that_was_tampered_with_is_told_event_by_event(cast: Cast, muster: Muster) -> None:
    ref = a_withdrawn_complaint(muster)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("ALTER TABLE case_events DISABLE TRIGGER ALL"))
        conn.execute(text("UPDATE case_events SET actor = 'staff:99' WHERE seq = 1"))
        conn.execute(text("ALTER TABLE case_events ENABLE TRIGGER ALL"))

    report = muster.json("audit", "verify", code=1)

    assert report["problems"] == [{"ref": ref, "seq": 1, "why": "it was changed after it was written"}]
    assert f"{ref} event 1: it was changed after it was written" in muster("audit", "verify", code=1).out


def test_the_record_is_exported_as_lines_or_as_a_table(muster: Muster, tmp_path: Path) -> None:
    a_withdrawn_complaint(muster)
    lines, table = tmp_path / "record.jsonl", tmp_path / "record.csv"

    told = muster.json("audit", "export", lines)
    muster("audit", "export", table)

    assert told["events"] == len(lines.read_text().splitlines()) - 1
    assert {json.loads(line).get("case") for line in lines.read_text().splitlines()[1:]} == {"CO-2026-000001"}
    assert table.read_text().splitlines()[1].startswith("case,process,seq")


def test_the_personal_parts_are_exported_by_a_manager_who_gives_their_name(muster: Muster, tmp_path: Path) -> None:
    a_withdrawn_complaint(muster)
    command = ("audit", "export", tmp_path / "record.jsonl", "--personal")

    assert "--as" in muster(*command, code=2).err
    assert "Only a manager" in muster(*command, *AMARA, code=1).err
    assert muster.json(*command, "--as", "mina@muster.example")["personal"] is True
    muster("audit", "export", tmp_path / "missing" / "record.jsonl", code=1)
