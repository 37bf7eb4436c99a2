"""Passwords, the links with which one is chosen, and what happens to somebody who guesses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, text

from cases.delivering import deliver
from config.database import reading, transaction
from members import store
from members.commands import set_absence, staff_left
from members.staffing import Person
from state_machines.values import SYSTEM
from tests.cast import MONDAY, Cast
from tests.shell.cli_runner import muster_of
from web.accounts import password_links, passwords, throttle, tokens
from web.tables import StaffPassword

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
GOOD = "seven swans a-swimming"


def person(cast: Cast, name: str) -> Person:
    with reading(cast.env.engine) as conn:
        found = store.staffing(conn).by_email(f"{name.lower()}@muster.example")
    assert found is not None
    return found


def choose(cast: Cast, name: str, password: str = GOOD) -> None:
    who = person(cast, name)
    with transaction(cast.env.engine) as conn:
        passwords.set_password(conn, who.id, password, email=who.email, now=NOW)


def kept(cast: Cast, name: str) -> str | None:
    who = person(cast, name)
    with reading(cast.env.engine) as conn:
        return passwords.kept_hash(conn, who.id)


# ------------------------------------------------------------------------------------------------------- passwords


def test_a_password_is_kept_as_a_hash_that_only_it_matches(cast: Cast) -> None:
    choose(cast, "Amara")

    stored = kept(cast, "Amara")
    assert stored is not None and stored.startswith("$argon2id$") and GOOD not in stored
    assert passwords.matches(stored, GOOD)
    assert not passwords.matches(stored, GOOD + ".")


def test_nobody_without_a_password_has_one_that_matches() -> None:
    assert not passwords.matches(None, "")
    assert not passwords.matches(None, GOOD)


def test_a_hash_is_worked_out_for_who_has_none_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = PasswordHasher.verify

    def noted(hasher: PasswordHasher, kept: str, given: str) -> bool:
        asked.append(kept)
        return real(hasher, kept, given)

    monkeypatch.setattr(PasswordHasher, "verify", noted)

    passwords.matches(None, GOOD)

    [used] = asked
    assert used.split("$")[1:4] == PasswordHasher().hash("x").split("$")[1:4], "as costly as a real one"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("eleven char", "at least 12"),
        ("x" * 201, "at most 200"),
        ("my AMARA@muster.example!", "must not be part"),
        ("aaaaaaaaaaaaaa", "over and over"),
    ],
)
def test_a_password_that_is_too_easy_is_refused_with_the_reason(password: str, sentence: str) -> None:
    with pytest.raises(passwords.WeakPassword, match=sentence):
        passwords.require_strong(password, email="amara@muster.example")


@pytest.mark.parametrize("password", ["twelve chars", "ünïcödé pässwörd ✓", "x" * 199 + "y"])
def test_nothing_but_length_is_asked_of_a_password(password: str) -> None:
    passwords.require_strong(password, email="amara@muster.example")
    assert not passwords.matches(None, password)


def test_an_overlong_password_is_not_hashed_and_never_matches(cast: Cast) -> None:
    choose(cast, "Amara", "x" * 199 + "y")

    assert not passwords.matches(kept(cast, "Amara"), "x" * 199 + "y" + "z" * 1_000_000)


def test_a_hash_of_older_parameters_is_renewed_unless_the_password_has_changed(cast: Cast) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024).hash(GOOD)
    who = person(cast, "Amara").id
    with transaction(cast.env.engine) as conn:
        conn.execute(insert(StaffPassword).values(staff_id=who, hash=old, changed_at=NOW))
        passwords.renew(conn, who, old, GOOD)

    renewed = kept(cast, "Amara")
    assert renewed != old and passwords.matches(renewed, GOOD)
    with transaction(cast.env.engine) as conn:
        passwords.renew(conn, who, old, "an older password")
    assert kept(cast, "Amara") == renewed


# ------------------------------------------------------------------------------------------------------ slowing down


def fail(cast: Cast, *keys: throttle.Key, now: datetime = NOW) -> list[int]:
    with transaction(cast.env.engine) as conn:
        return throttle.presume_failure(conn, keys, now=now)


def test_after_five_failures_an_account_waits_and_then_longer_and_longer(cast: Cast) -> None:
    amara, now, waits = throttle.account("amara@muster.example"), NOW, []
    for _ in range(5):
        fail(cast, amara, now=now)
    for _ in range(7):
        with pytest.raises(throttle.TooManyTries) as refused:
            fail(cast, amara, now=now)
        waits.append(refused.value.wait.total_seconds())
        now += refused.value.wait
        fail(cast, amara, now=now)

    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_what_is_refused_while_waiting_does_not_prolong_the_wait(cast: Cast) -> None:
    amara = throttle.account("amara@muster.example")
    for _ in range(5):
        fail(cast, amara)
    for _ in range(20):
        with pytest.raises(throttle.TooManyTries, match="in 10 seconds"):
            fail(cast, amara, now=NOW + timedelta(seconds=20))

    assert fail(cast, amara, now=NOW + timedelta(seconds=31))


def test_success_clears_the_account_and_only_its_own_try_at_the_address(cast: Cast) -> None:
    amara, office = throttle.account("amara@muster.example"), throttle.address("192.0.2.1", free=5)
    for _ in range(4):
        fail(cast, amara, office)
    rows = fail(cast, amara, office)
    with transaction(cast.env.engine) as conn:
        throttle.take_back(conn, rows, amara)

    assert cast.scalar("SELECT count(*) FROM attempts WHERE key = :k", k=amara.digest) == 0
    assert cast.scalar("SELECT count(*) FROM attempts WHERE key = :k", k=office.digest) == 4


def test_an_hour_later_all_is_forgotten_and_swept_out(cast: Cast) -> None:
    amara = throttle.account("Amara@muster.example ")
    for _ in range(5):
        fail(cast, amara)
    with transaction(cast.env.engine) as conn:
        assert throttle.prune(conn, now=NOW + timedelta(minutes=59)) == 0
        assert throttle.prune(conn, now=NOW + timedelta(minutes=61)) == 5

    assert amara == throttle.account("amara@MUSTER.example")


def test_a_hundred_tries_at_once_get_no_further_than_five(cast: Cast) -> None:
    amara = throttle.account("amara@muster.example")

    def attempt(_: int) -> bool:
        try:
            fail(cast, amara)
        except throttle.TooManyTries:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(100))) == 5


def test_what_was_typed_where_the_address_belongs_is_not_kept(cast: Cast) -> None:
    fail(cast, throttle.account("oops my password"))

    assert "oops" not in cast.scalar("SELECT key FROM attempts")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (1, "1 second"),
        (44.1, "45 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (900, "15 minutes"),
    ],
)
def test_a_wait_is_told_in_words_and_never_too_short(seconds: float, words: str) -> None:
    assert throttle.in_words(timedelta(seconds=seconds)) == words


# ------------------------------------------------------------------------------------------------------------- links


def invited(cast: Cast, name: str, now: datetime = NOW) -> str:
    who, ada = person(cast, name), cast.actor("Ada")
    with transaction(cast.env.engine) as conn:
        address = password_links.invite(conn, cast.env, who, actor=ada, now=now)
    return address.rpartition("/")[2]


def use(cast: Cast, token: str, name: str, password: str = GOOD, now: datetime = NOW) -> None:
    who = person(cast, name)
    with transaction(cast.env.engine) as conn:
        password_links.use(conn, token, who, password, now=now)


def test_a_link_sets_a_password_once(cast: Cast) -> None:
    token = invited(cast, "Amara")
    use(cast, token, "Amara")

    assert passwords.matches(kept(cast, "Amara"), GOOD)
    with pytest.raises(password_links.LinkOver):
        use(cast, token, "Amara", "another good password")
    assert passwords.matches(kept(cast, "Amara"), GOOD)


def test_a_weak_password_does_not_use_the_link_up(cast: Cast) -> None:
    token = invited(cast, "Amara")
    with pytest.raises(passwords.WeakPassword):
        use(cast, token, "Amara", "short")

    use(cast, token, "Amara")


def test_a_link_is_for_one_person_and_for_a_time(cast: Cast) -> None:
    token = invited(cast, "Amara")

    with pytest.raises(password_links.LinkOver):
        use(cast, token, "Bo")
    with pytest.raises(password_links.LinkOver):
        use(cast, token, "Amara", now=NOW + timedelta(days=7))
    amara = person(cast, "Amara").id
    with reading(cast.env.engine) as conn:
        assert password_links.find(conn, token, now=NOW + timedelta(days=6)).staff_id == amara
        with pytest.raises(password_links.LinkOver):
            password_links.find(conn, "nothing", now=NOW)


def test_choosing_a_password_ends_the_other_links(cast: Cast) -> None:
    first, second = invited(cast, "Amara"), invited(cast, "Amara")
    use(cast, second, "Amara")

    with pytest.raises(password_links.LinkOver):
        use(cast, first, "Amara", "another good password")


def test_a_link_of_somebody_who_has_left_is_over(cast: Cast) -> None:
    token = invited(cast, "Bo")
    staff_left(cast.env.engine, "bo@muster.example", left_on=MONDAY.date(), actor=SYSTEM, now=MONDAY)

    with reading(cast.env.engine) as conn, pytest.raises(password_links.LinkOver):
        password_links.find(conn, token, now=NOW)


def test_the_text_of_a_link_is_stored_nowhere(cast: Cast) -> None:
    token = invited(cast, "Amara")

    assert len(token) == 43
    everything = str(cast.rows("SELECT * FROM password_links")) + str(cast.rows("SELECT * FROM messages"))
    assert token not in everything


class Postman:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def send(self, mail: Any) -> None:
        self.taken.append(mail)

    def close(self) -> None: ...


def delivered(cast: Cast) -> list[Any]:
    postman = Postman()
    deliver(cast.env, transport=postman, now=cast.env_now)
    return postman.taken


def test_the_mail_has_the_link_and_the_outbox_leaves_it_out(cast: Cast) -> None:
    token = invited(cast, "Amara")

    [mail] = delivered(cast)

    assert mail.to_email == "amara@muster.example"
    assert f"/password/{token}" in mail.text and f"/password/{token}" in mail.html
    [row] = cast.rows("SELECT * FROM messages")
    assert row.state == "sent" and token not in str(row) and "not kept" in row.body_text


def test_the_mail_goes_to_nobody_who_stands_in(cast: Cast) -> None:
    days = (MONDAY.date(), MONDAY.date() + timedelta(days=4))
    set_absence(cast.env.engine, "amara@muster.example", *days, deputy="bo@muster.example", actor=SYSTEM, now=MONDAY)
    invited(cast, "Amara")

    assert [mail.to_email for mail in delivered(cast)] == ["amara@muster.example"]


def test_a_changed_key_of_the_installation_fails_the_mail_alone(cast: Cast) -> None:
    invited(cast, "Amara")
    with transaction(cast.env.engine) as conn:
        conn.execute(text("""UPDATE messages SET data = data || '{"sealed_link": "not ours"}'"""))
    invited(cast, "Bo")

    assert [mail.to_email for mail in delivered(cast)] == ["bo@muster.example"]
    assert "MUSTER_SECRET_KEY" in cast.scalar("SELECT reason FROM messages WHERE state = 'failed'")


def test_who_had_a_password_is_told_that_it_changed(cast: Cast) -> None:
    use(cast, invited(cast, "Amara"), "Amara")
    delivered(cast)
    use(cast, invited(cast, "Amara"), "Amara", "another good password")

    assert "Your password was changed" in [mail.subject for mail in delivered(cast)]


# ---------------------------------------------------------------------------------------------- keys for programs


def made(cast: Cast, name: str = "Amara", **more: Any) -> str:
    ids: dict[str, Any] = {"staff_id": person(cast, name).id, "made_by": person(cast, "Ada").id}
    with transaction(cast.env.engine) as conn:
        return tokens.make(conn, "Nightly export", ["cases:read"], **ids, now=NOW, **more)


def found(cast: Cast, token: str, now: datetime = NOW) -> tokens.Bearer | None:
    with reading(cast.env.engine) as conn:
        return tokens.find(conn, token, now=now)


def test_a_key_stands_for_its_person_within_its_scopes(cast: Cast) -> None:
    token = made(cast)

    bearer = found(cast, token)
    assert token.startswith("mst_") and len(token) == 47
    assert bearer is not None and bearer.staff_id == person(cast, "Amara").id and bearer.scopes == {"cases:read"}
    assert token not in str(cast.rows("SELECT * FROM api_tokens"))
    assert found(cast, token[:-1] + ("A" if token[-1] != "A" else "B")) is None


def test_a_key_ends_with_its_last_day_when_it_is_revoked_and_when_its_person_leaves(cast: Cast) -> None:
    short, revoked, bos = made(cast, expires_at=NOW + timedelta(days=1)), made(cast), made(cast, "Bo")
    bearer = found(cast, revoked)
    assert bearer is not None
    amara, bo = person(cast, "Amara").id, person(cast, "Bo").id
    with transaction(cast.env.engine) as conn:
        assert not tokens.revoke(conn, bearer.id, of_staff=bo, now=NOW)
        assert tokens.revoke(conn, bearer.id, of_staff=amara, now=NOW)
        assert not tokens.revoke(conn, bearer.id, now=NOW)
    staff_left(cast.env.engine, "bo@muster.example", left_on=MONDAY.date(), actor=SYSTEM, now=MONDAY)

    assert found(cast, short) is not None
    assert found(cast, short, NOW + timedelta(days=1)) is None
    assert found(cast, revoked) is None
    assert found(cast, bos) is None


def test_the_use_of_a_key_is_noted_once_a_minute(cast: Cast) -> None:
    bearer = found(cast, made(cast))
    assert bearer is not None
    for seconds in (0, 30, 90):
        with transaction(cast.env.engine) as conn:
            tokens.note_use(conn, bearer.id, now=NOW + timedelta(seconds=seconds))
        if seconds == 30:
            assert cast.scalar("SELECT used_at FROM api_tokens") == NOW

    assert cast.scalar("SELECT used_at FROM api_tokens") == NOW + timedelta(seconds=90)


# -------------------------------------------------------------------------------------------- `muster staff password`


def test_a_password_is_set_from_standard_input(cast: Cast) -> None:
    muster = muster_of(cast)

    said = muster("staff", "password", "amara@muster.example", "--stdin", given=f"{GOOD}\n")

    assert "Amara" in said.out and GOOD not in said.out
    assert passwords.matches(kept(cast, "Amara"), GOOD)
    refused = muster("staff", "password", "amara@muster.example", "--stdin", given="short\n", code=1)
    assert "at least 12" in refused.err
    assert passwords.matches(kept(cast, "Amara"), GOOD)


def test_a_password_that_is_typed_is_typed_twice(cast: Cast) -> None:
    said = muster_of(cast)("staff", "password", "bo@muster.example", given=f"{GOOD}\n{GOOD}\n")

    assert GOOD not in said.out
    assert passwords.matches(kept(cast, "Bo"), GOOD)


def test_somebody_who_has_left_gets_neither_a_password_nor_an_invitation(cast: Cast) -> None:
    muster = muster_of(cast)

    assert "has left" in muster("staff", "password", "dov@muster.example", "--stdin", given=GOOD, code=1).err
    assert "has left" in muster("staff", "invite", "dov@muster.example", code=1).err
    assert cast.scalar("SELECT count(*) FROM messages") == 0


def test_an_invitation_is_mailed_and_its_link_is_printed_on_request_alone(cast: Cast) -> None:
    muster = muster_of(cast)

    assert "/password/" not in muster("staff", "invite", "bo@muster.example").out
    said = muster("staff", "invite", "amara@muster.example", "--show-link")

    token = said.out.partition("/password/")[2].split()[0]
    assert token in delivered(cast)[-1].text
