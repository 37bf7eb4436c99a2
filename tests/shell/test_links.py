"""Personal links."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.database import Engine, reading, transaction
from notifications import links

SECRET = "a-secret-of-this-installation-which-is-long"
NOW = datetime(2026, 4, 13, 10, 0, tzinfo=UTC)


def test_a_link_says_which_case_it_is_for() -> None:
    token = links.make(SECRET, links.MEMBER, 4711, 3)

    assert links.read(SECRET, links.MEMBER, token, now=NOW) == links.CaseLink(4711, 3)


@given(
    st.integers(0, 2**63 - 1), st.integers(0, 2**31), st.sampled_from(["member", "party:complainant", "unsubscribe"])
)
def test_every_link_can_be_read_again_and_is_short(case_id: int, epoch: int, purpose: str) -> None:
    token = links.make(SECRET, purpose, case_id, epoch, expires_at=NOW + timedelta(days=9000))

    read = links.read(SECRET, purpose, token, now=NOW)

    assert (read.case_id, read.epoch) == (case_id, epoch)
    assert len(token) <= 60
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_link_for_one_purpose_does_not_serve_another() -> None:
    token = links.make(SECRET, links.UNSUBSCRIBE, 4711)

    with pytest.raises(links.LinkForged):
        links.read(SECRET, links.MEMBER, token, now=NOW)


def test_a_link_of_another_installation_is_forged() -> None:
    token = links.make(SECRET, links.MEMBER, 4711)

    with pytest.raises(links.LinkForged):
        links.read(SECRET + "!", links.MEMBER, token, now=NOW)


def test_no_character_of_a_link_can_be_changed() -> None:
    token = links.make(SECRET, links.MEMBER, 4711, 1)

    for place in range(len(token)):
        for other in "Aa0_-":
            if other != token[place]:
                with pytest.raises(links.LinkForged):
                    links.read(SECRET, links.MEMBER, token[:place] + other + token[place + 1 :], now=NOW)


@given(st.text(max_size=100))
def test_anything_else_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(links.LinkForged):
        links.read(SECRET, links.MEMBER, text, now=NOW)


def test_a_link_ends_at_its_expiry() -> None:
    token = links.make(SECRET, links.MEMBER, 4711, expires_at=NOW)

    assert links.read(SECRET, links.MEMBER, token, now=NOW - timedelta(seconds=1)).case_id == 4711
    with pytest.raises(links.LinkExpired):
        links.read(SECRET, links.MEMBER, token, now=NOW)


def test_raising_the_epoch_revokes_the_links_of_that_case_only(engine: Engine) -> None:
    mine, other = links.make(SECRET, links.MEMBER, 1), links.make(SECRET, links.MEMBER, 2)
    with transaction(engine) as conn:
        links.revoke(conn, [1], now=NOW)
        links.revoke(conn, [1], now=NOW)

    with reading(engine) as conn:
        assert links.epochs(conn, [1, 2]) == {1: 2, 2: 0}
        assert links.opened(conn, SECRET, links.MEMBER, other, now=NOW).case_id == 2
        assert links.opened(conn, SECRET, links.MEMBER, links.make(SECRET, links.MEMBER, 1, 2), now=NOW).epoch == 2
        with pytest.raises(links.LinkExpired):
            links.opened(conn, SECRET, links.MEMBER, mine, now=NOW)


def test_the_address_of_a_link_shows_whose_it_is_and_nothing_about_them() -> None:
    assert links.url("https://muster.example", "abc") == "https://muster.example/m/abc"
    assert links.url("https://muster.example", "abc", links.party("complainant")) == (
        "https://muster.example/p/complainant/abc"
    )
    assert links.url("https://muster.example", "abc", links.UNSUBSCRIBE) == "https://muster.example/unsubscribe/abc"
    assert links.desk_url("https://muster.example", "MC-1") == "https://muster.example/cases/MC-1"
