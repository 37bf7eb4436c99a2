"""Who looked at what is restricted: written before it is shown, whichever way it is shown, and kept."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from cases import commands, evidence
from cases.looking import store
from config import clock
from config.database import Engine, make_engine, transaction
from tests.cast import Cast, cast_of
from tests.conftest import fresh_database
from tests.pages.api_caller import token_of
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn, sign_in
from tests.pages.north import North, north_of
from tests.pages.test_access import filled, routes
from tests.shell.cli_runner import Muster
from web import csrf, looks
from web.access import Rule
from web.app import create_app
from web.routing import rule_of

PEOPLE = ("Amara", "Mina", "Sol", "Ada", "Cara", "Aud")
"""One of them may enter every page of the staff."""
WORDS = ("Stillewasser", "runs deep", "https://news.example/1")
"""What cases hold; their subjects stand in lists as well."""


def restrict(cast: Cast, *names: str) -> None:
    """Let only these people see any case but the campaign and the document."""
    ids = [int(cast.actor(name).person.removeprefix("staff:")) for name in names]
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET restricted_to = :ids WHERE process NOT IN ('survey_campaign', "
                          "'code_document')"), {"ids": ids})  # fmt: skip


@dataclass(frozen=True)
class Guarded:
    """An organisation all of whose cases are restricted, and its desk."""

    north: North
    app: FastAPI
    browsers: dict[str, TestClient]

    @property
    def newest(self) -> int:
        """The number of the newest look."""
        return int(self.north.cast.scalar("SELECT coalesce(max(id), 0) FROM restricted_views"))

    def asked(self, rule: Rule, address: str) -> Any:
        """Return the answer to somebody whom a rule lets in."""
        headers = {"authorization": f"Bearer {self.north.tokens['Mina']}"} if rule.scope else {}
        name = "Mina" if rule.scope else next(n for n in PEOPLE if rule.roles & self.north.cast.actor(n).roles)
        return self.browsers[name].get(address, headers=headers, follow_redirects=False)


@pytest.fixture(scope="module")
def guarded(database_admin: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """It."""
    with fresh_database(database_admin) as url:
        engine = make_engine(url)
        north = north_of(cast_of(engine, tmp_path_factory.mktemp("guarded")))
        restrict(north.cast, *PEOPLE)
        app = create_app(north.cast.env)
        browsers = {name: sign_in(app, north.cast, name).http for name in PEOPLE}
        yield Guarded(north, app, browsers)
        engine.dispose()


@pytest.fixture
def each_look_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time in which a second look is none is over at once."""
    monkeypatch.setattr(store, "SAME", timedelta(0))


def told_most(path: str, north: North) -> str:
    """Return the address of a route where it tells most: of a search words in notes, of the inbox mail of a case."""
    if path.startswith("/inbox/{number}"):
        return path.replace("{number}", str(north.mails[1]))
    return filled(path, north) + ("?q=stillewass" if path in ("/search", "/cases", "/cases.csv") else "")


@pytest.mark.usefixtures("each_look_counts")
def test_no_way_to_a_restricted_case_leaves_no_trace(guarded: Guarded) -> None:
    silent, seen = [], set()
    for _, path, route in routes(guarded.app, "GET"):
        rule = rule_of(route)
        if rule is None or not (rule.roles or rule.scope):
            continue
        address, before = told_most(path, guarded.north), guarded.newest
        answer = guarded.asked(rule, address)
        told = [word for word in WORDS if word in answer.text]
        of_case = answer.status_code == 200 and re.search(r"/cases/\{ref\}|/approvals/\{ref\}", path)
        attached = "attachment" in answer.headers.get("content-disposition", "")
        if told or of_case or attached:
            seen.add(path)
            if guarded.newest == before:
                silent.append(f"{path} shows {told or 'a case'} and notes nobody")
    assert silent == []
    assert len(seen) > 25, sorted(seen)


@pytest.mark.usefixtures("each_look_counts")
def test_a_form_that_was_refused_shows_no_case_without_a_trace(guarded: Guarded) -> None:
    amara, seen = guarded.browsers["Amara"], set()
    sent = {"csrf": csrf.token(guarded.north.cast.env.settings.secret_key.get_secret_value(),
                               f"session:{amara.cookies['muster']}")}  # fmt: skip
    roles = guarded.north.cast.actor("Amara").roles
    for _, path, route in routes(guarded.app, "POST"):
        rule = rule_of(route)
        if rule is None or not rule.roles & roles or not path.startswith("/cases/{ref}"):
            continue
        before = guarded.newest
        answer = amara.post(filled(path, guarded.north), data=sent, follow_redirects=False)
        if any(word in answer.text for word in WORDS):
            seen.add(path)
            assert guarded.newest > before, path
    assert len(seen) >= 3, sorted(seen)


def test_a_search_finds_a_restricted_case_and_quotes_nothing_of_it(guarded: Guarded) -> None:
    found = guarded.browsers["Mina"].get("/search?q=stillewasser+run").text
    assert guarded.north.complaint in found and "runs deep" not in found


@pytest.mark.usefixtures("each_look_counts")
@pytest.mark.parametrize("part", ["", "/next", "/why", "/files/{sha256}", "/messages/{number}"])
def test_a_look_says_who_at_what_through_what_and_nothing_of_what_was_read(guarded: Guarded, part: str) -> None:
    north, before = guarded.north, guarded.newest
    answer = guarded.browsers["Amara"].get(filled("/cases/{ref}" + part, north))
    rows = north.cast.rows("SELECT * FROM restricted_views WHERE id > :n", n=before)
    assert {row.case_ref for row in rows if row.what != "export"} == {north.complaint}
    for row in rows:
        assert (row.person, row.through) == (north.cast.actor("Amara").person, "page")
        assert row.request == answer.headers["x-request-id"]
        assert not [word for word in WORDS if word in str(row)]


@pytest.mark.usefixtures("each_look_counts")
def test_a_look_through_the_api_says_so(guarded: Guarded) -> None:
    north, before = guarded.north, guarded.newest
    headers = {"authorization": f"Bearer {north.tokens['Mina']}"}
    assert TestClient(guarded.app).get(f"/api/v1/cases/{north.complaint}", headers=headers).status_code == 200
    [row] = north.cast.rows("SELECT * FROM restricted_views WHERE id > :n", n=before)
    assert (row.person, row.case_ref, row.through) == (north.cast.actor("Mina").person, north.complaint, "api")


def test_who_may_not_see_it_has_not_looked(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast)
    restrict(cast, "Amara")
    assert desk("Bo").get(f"/cases/{ref}", status=404).status == 404
    assert cast.scalar("SELECT count(*) FROM restricted_views") == 0


def test_a_case_that_anybody_may_see_is_looked_at_without_a_trace(cast: Cast, desk: SignedIn) -> None:
    desk("Amara").get(f"/cases/{a_complaint(cast)}")
    assert cast.scalar("SELECT count(*) FROM restricted_views") == 0


def test_who_looks_again_has_looked_once_and_who_takes_a_copy_again_has_it_twice(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast)
    restrict(cast, "Amara")
    amara = desk("Amara")
    for _ in range(3):
        amara.get(f"/cases/{ref}")
    for _ in range(2):
        amara.http.get("/cases.csv")
    assert cast.rows("SELECT what, case_ref, name, count(*) FROM restricted_views GROUP BY 1, 2, 3 ORDER BY 1") == [
        ("case", ref, None, 1), ("export", None, "cases.csv", 2)]  # fmt: skip


def test_a_case_about_somebody_on_the_staff_is_restricted_as_well(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast)
    commands.fire(cast.env, ref, "wall_off", payload={"about_staff": [cast.actor("Bo").person]},
                  actor=cast.actor("Max"))  # fmt: skip
    desk("Mina").get(f"/cases/{ref}")
    assert cast.scalar("SELECT person FROM restricted_views") == cast.actor("Mina").person


def test_what_cannot_be_written_down_is_not_shown(cast: Cast, desk: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = a_complaint(cast, description="Stillewasser")
    file = evidence.add(cast.env, ref, "deep.txt", b"Stillewasser", actor=cast.actor("Amara"))
    restrict(cast, "Amara")
    amara = desk("Amara")

    def full(*_: object, **__: object) -> None:
        raise OperationalError("INSERT", {}, Exception("no space left"))

    monkeypatch.setattr(looks, "keep", full)
    for address in (f"/cases/{ref}", f"/cases/{ref}/files/{file.sha256}", "/cases.csv"):
        answer = amara.http.get(address)
        assert answer.status_code == 503, address
        assert "Stillewasser" not in answer.text and ref not in answer.text
        assert answer.headers["cache-control"] == "no-store" and "attachment" not in str(answer.headers)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE restricted_views SET person = 'staff:1'", "DELETE FROM restricted_views", "TRUNCATE restricted_views"],
)
def test_a_look_is_neither_changed_nor_forgotten_whoever_asks(cast: Cast, statement: str) -> None:
    a_look(cast)
    with pytest.raises(DBAPIError, match="refused"), transaction(cast.env.engine) as conn:
        conn.execute(text(statement))
    assert cast.scalar("SELECT count(*) FROM restricted_views WHERE person = 'staff:4'") == 1


def test_a_look_is_forgotten_after_three_years(cast: Cast) -> None:
    now = clock.utc_now()
    for days in (3 * 366 + 1, 3 * 365 - 1):
        a_look(cast, days=days)
    assert store.forget_old(cast.env.engine, now=now) == 1
    assert cast.scalar("SELECT count(*) FROM restricted_views") == 1


def a_look(cast: Cast, *, days: int = 0, person: str = "staff:4", case: str | None = None) -> None:
    """Write one look, so many days old."""
    with transaction(cast.env.engine) as conn:
        conn.execute(
            text("INSERT INTO restricted_views (at, person, what, case_ref, through, request) "
                 "VALUES (:at, :person, 'case', :case, 'page', 'r')"),
            {"at": clock.utc_now() - timedelta(days=days), "person": person, "case": case},
        )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- the page


def test_an_administrator_sees_who_looked_and_takes_it_as_a_file(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast)
    restrict(cast, "Amara", "Ada")
    desk("Amara").get(f"/cases/{ref}")
    ada = desk("Ada")
    page = ada.get(f"/cases/{ref}").follow("Who looked at it")
    assert "Amara" in page.words("tbody th") and page.words("tbody td[data-label=Case]") == [ref, ref]
    only = page.form("main form").submit(who=cast.actor("Amara").person)
    assert only.words("tbody th") == ["Amara"]
    assert "Nobody has looked" in page.form("main form").submit(who=cast.actor("Bo").person).main
    rows = list(csv.reader(io.StringIO(ada.http.get("/looked-at.csv").text.lstrip("\ufeff"))))
    assert [row[1] for row in rows[1:]] == ["Ada", "Amara"]
    assert cast.scalar("SELECT count(*) FROM restricted_views WHERE what = 'export'") == 1


def test_a_long_list_of_looks_has_a_second_page(cast: Cast, desk: SignedIn) -> None:
    for _ in range(52):
        a_look(cast)
    first = desk("Ada").get("/looked-at")
    assert len(first.all("tbody tr")) == 50
    assert len(first.follow("Next").all("tbody tr")) == 2


def test_nobody_is_told_who_looked_at_a_case_about_themselves(cast: Cast, desk: SignedIn) -> None:
    ref = a_complaint(cast)
    ada = int(cast.actor("Ada").person.removeprefix("staff:"))
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE cases SET walled_off = ARRAY[CAST(:a AS bigint)]"), {"a": ada})
    desk("Mina").get(f"/cases/{ref}")
    for address in ("/looked-at", f"/looked-at?case={ref}", "/looked-at.csv"):
        told = desk("Ada").http.get(address).text
        assert ref not in told.replace(f'value="{ref}"', "").replace(f"case={ref}", ""), address


def test_the_page_is_for_auditors_and_administrators(desk: SignedIn) -> None:
    for name in ("Amara", "Mina", "Sol", "Cara"):
        assert desk(name).http.get("/looked-at").status_code == 403
    assert "Nobody has looked" in desk("Ada").get("/looked-at").main


# -------------------------------------------------------------------------------------------------------- by command


def test_a_command_leaves_a_trace_as_well(cast: Cast, engine_url: str) -> None:
    ref = a_complaint(cast)
    restrict(cast, "Amara")
    muster = Muster(engine_url, cast.env.settings.home)
    muster("cases", "show", ref, "--as", "amara@muster.example")
    muster("cases", "show", ref, "--as", "bo@muster.example", code=1)
    [row] = cast.rows("SELECT person, case_ref, through FROM restricted_views")
    assert row == (cast.actor("Amara").person, ref, "command")


def test_a_key_of_the_api_is_found_without_waiting_for_looks(cast: Cast, app: FastAPI) -> None:
    key = token_of(cast, "Mina")
    answer = TestClient(app).get("/api/v1/cases", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200 and re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
