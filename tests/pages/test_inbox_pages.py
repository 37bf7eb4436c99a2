"""The inbox on the desk: what waits, whose it is, and mail on the history of its case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cases import commands
from cases.inbox.taking import take
from config.database import transaction
from members import store as member_store
from tests.cast import Cast
from tests.core.incoming_samples import dsn, plain
from tests.core.monitoring_story import FINDING
from tests.pages.conftest import SignedIn

ID = "<0123456789abcdef0123456789abcdef@muster.example>"


@dataclass
class Told:
    """A case of the North with a message that went to its member, and mail that came in."""

    cast: Cast
    ref: str
    email: str

    def take(self, raw: bytes) -> int:
        found = take(self.cast.env, raw, source="test")
        assert found.number is not None
        return found.number


@pytest.fixture
def told(cast: Cast) -> Told:
    cast.members("Acme Gins")
    member = cast.rows("SELECT m.ref, m.id FROM members m")[0]
    with transaction(cast.env.engine) as conn:
        [contact] = member_store.contacts_of(conn, [member.id])[member.id]
    payload: dict[str, Any] = dict(FINDING)
    done = commands.open_one(
        cast.env, "monitoring", member=member.ref, subject="Licence", payload=payload, actor=cast.actor("Amara")
    )
    with transaction(cast.env.engine) as conn:
        conn.exec_driver_sql(
            "INSERT INTO messages (key, case_id, kind, audience, purpose, state, not_before, created_at, sent_at,"
            " member_id, to_email, contact_id, message_id) VALUES ('k', %s, 'case_told', 'member', 'service', 'sent',"
            " now(), now(), now(), %s, %s, %s, %s)", (done.after.id, member.id, contact.email, contact.id, ID),
        )  # fmt: skip
    assert contact.email is not None
    return Told(cast, done.after.ref, contact.email)


def test_mail_that_nobody_can_place_is_given_to_its_case_by_a_person(told: Told, desk: SignedIn) -> None:
    amara = desk("Amara")
    assert "Nothing waits" in amara.get("/inbox").main
    evil = "<script>alert(1)</script> Could we have until Friday?"
    number = told.take(plain('"<b>Eve</b>" <eve@elsewhere.example>', "A <i>question</i>", evil))
    page = amara.get("/inbox")
    assert page.one("tbody th a").get_text() == "A <i>question</i>"
    assert "Could we have until Friday?" in amara.get(f"/inbox/{number}").main
    assert amara.get("/inbox?kind=bounce").one(".empty-title-text").get_text() == "There is no such mail"

    stale = amara.get(f"/inbox/{number}").form("#ignore")
    wrong = amara.get(f"/inbox/{number}").form("#assign").submit(ref="CO-2026-999999")
    assert wrong.status == 422
    assert "CO-2026-999999" in wrong.main
    page = amara.get(f"/inbox/{number}").form("#assign").submit(ref=told.ref.lower())
    assert f"It is on {told.ref} now." in page.text
    history = amara.get(f"/cases/{told.ref}").main
    assert "Mail came in: written by a person" in history
    assert "Could we have until Friday?" in history
    assert "not a known contact" in history
    assert "moves nothing by itself" in history
    assert amara.get("/inbox?state=matched").one("tbody th a").get_text() == "A <i>question</i>"
    late = page.client.post(f"/inbox/{number}/assign", [*stale.values, ("ref", told.ref)])
    assert "Somebody has dealt with this mail already" in late.text


def test_what_is_not_ours_is_set_aside_and_that_can_be_taken_back(told: Told, desk: SignedIn) -> None:
    amara = desk("Amara")
    number = told.take(plain("Shop <shop@elsewhere.example>", "Buy now", "Cheap"))
    page = amara.get(f"/inbox/{number}").form("#ignore").submit()
    assert "It is set aside" in page.text
    assert "Nothing waits" in amara.get("/inbox").main
    page = amara.get(f"/inbox/{number}").form("#restore").submit()
    assert "It waits again" in page.text
    assert "Buy now" in amara.get("/inbox").main


def test_mail_of_a_case_is_seen_with_the_case_and_as_it_came_by_administrators_only(told: Told, desk: SignedIn) -> None:
    number = told.take(plain(f"Jo <{told.email}>", "Re: it", "Hello", f"In-Reply-To: {ID}\n"))
    hidden = told.take(plain("Jo <jo@elsewhere.example>", f"About {told.ref}", "Secret of the North"))
    bo = desk("Bo")
    assert "Re: it" not in bo.get("/inbox?state=matched").main
    assert "Secret" not in bo.get("/inbox").text
    for path in (f"/inbox/{number}", f"/inbox/{hidden}", "/inbox/999999", f"/inbox/{2**70}"):
        assert "There is no such mail" in bo.get(path, status=404).main
    assert "a contact of the member" in desk("Amara").get(f"/cases/{told.ref}").main
    assert "As it came" not in desk("Amara").get(f"/inbox/{number}").main
    desk("Amara").get(f"/inbox/{number}/raw", status=403)
    ada = desk("Ada")
    assert "As it came" in ada.get(f"/inbox/{number}").main
    raw = ada.get(f"/inbox/{number}/raw").response
    assert raw.headers["content-disposition"].startswith("attachment")
    assert raw.content.endswith(b"Hello\n")


def test_the_next_page_begins_after_the_last_line(told: Told, desk: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.desk.inbox.ON_A_PAGE", 2)
    for number in range(3):
        told.take(plain("Jo <jo@elsewhere.example>", f"Mail {number}", f"hello {number}"))
    mina = desk("Mina")
    first = mina.get("/inbox")
    assert [each.get_text() for each in first.all("tbody th a")] == ["Mail 2", "Mail 1"]
    second = mina.get(str(first.one("a[rel=next]")["href"]))
    assert [each.get_text() for each in second.all("tbody th a")] == ["Mail 0"]
    assert "Back to the newest" in second.main


def test_whoever_looks_after_mail_sees_how_the_inbox_is(told: Told, desk: SignedIn) -> None:
    refused = dsn("5.7.26", "550 5.7.26 unauthenticated", recipient=told.email)
    told.take(refused)
    page = desk("Ada").get("/admin/mail").main
    assert "Mail servers refused 1 message of ours" in page
    assert "No mail is read" in page
    history = desk("Amara").get(f"/cases/{told.ref}").main
    assert "refused by a mail server's rules" in history
