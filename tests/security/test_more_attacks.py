"""Attacks that no page's own tests try: two at once, keys, sizes, sites, lines in the log."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from cases.own.links import token_of as link_of
from config import clock
from config.database import reading, transaction
from config.logging import OneLine
from members import spreadsheets, staff_store
from members.errors import Unusable
from notifications import links
from tests.cast import Cast
from tests.pages.api_caller import caller
from tests.pages.case_cast import a_complaint
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client
from tests.pages.test_access import routes, token
from web import csrf, sessions
from web.accounts import password_links, passwords
from web.api.requests import DEEPEST
from web.app import create_app
from web.headers import EVERYWHERE, POLICY
from web.limits import MOST_BYTES
from web.routing import rule_of

SECRET = "s" * 40


# ------------------------------------------------------------------------------------------------------- two at once


def test_of_two_who_use_a_link_at_once_one_chooses_the_password(app: FastAPI, cast: Cast) -> None:
    env, ada = cast.env, cast.actor("Ada")
    with transaction(env.engine) as conn:
        bo = staff_store.staffing(conn).by_email("bo@muster.example")
        assert bo is not None
        address = password_links.invite(conn, env, bo, actor=ada, now=clock.utc_now())
    path, together = address.removeprefix(env.settings.base_url), Barrier(4)

    def chosen(number: int) -> int:
        stranger = TestClient(app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)
        field = csrf.token(env.settings.secret_key.get_secret_value(), f"link:{path}")
        new = f"correct horse battery staple {number}"
        together.wait(30)
        answer = stranger.post(path, data={"new_password": [new, new], "csrf": field}, follow_redirects=False)
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(chosen, range(4)))
    assert statuses[0] == 303 and set(statuses[1:]) == {410}, statuses
    assert cast.scalar("SELECT count(*) FROM web_sessions") == 1


# ------------------------------------------------------------------------------------------------------------ sessions


def test_a_session_ends_after_two_hours_and_after_a_working_day(cast: Cast) -> None:
    now, me = clock.utc_now(), int(cast.actor("Amara").person.removeprefix("staff:"))
    with transaction(cast.env.engine) as conn:
        key = sessions.start(conn, me, address="", agent="", now=now)
    for idle, age, living in ((119, 119, True), (121, 121, False), (1, 719, True), (1, 721, False)):
        with transaction(cast.env.engine) as conn:
            conn.execute(text("UPDATE web_sessions SET seen_at = :seen, started_at = :started"),
                         {"seen": now - timedelta(minutes=idle), "started": now - timedelta(minutes=age)})  # fmt: skip
        with reading(cast.env.engine) as conn:
            assert (sessions.find(conn, key, now=now) is not None) is living, (idle, age)


def test_a_form_with_its_token_is_refused_from_another_site(cast: Cast, desk: SignedIn) -> None:
    ref, amara = a_complaint(cast), desk("Amara")
    form = {"text": "x", "csrf": token(amara)}
    for site in ("cross-site", "same-site"):
        answer = amara.http.post(f"/cases/{ref}/notes", data=form, headers={"sec-fetch-site": site})
        assert answer.status_code == 403
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'note'") == 0


def test_the_token_of_a_colleagues_form_is_not_ones_own(cast: Cast, desk: SignedIn) -> None:
    ref, amara, mina = a_complaint(cast), desk("Amara"), desk("Mina")
    for foreign in (token(mina), csrf.token(SECRET, amara.http.cookies["muster"])):
        answer = amara.http.post(f"/cases/{ref}/notes", data={"text": "x", "csrf": foreign})
        assert answer.status_code == 403


# ---------------------------------------------------------------------------------------------------------------- keys


def test_every_key_has_more_bits_than_can_be_guessed(cast: Cast) -> None:
    now, env = clock.utc_now(), cast.env
    me = int(cast.actor("Amara").person.removeprefix("staff:"))
    made = []
    for _ in range(20):
        with transaction(env.engine) as conn:
            made.append(sessions.start(conn, me, address="", agent="", now=now))
    assert len(set(made)) == 20 and min(map(len, made)) >= 43  # 256 bits
    signature = 8 * (len(links.make(SECRET, links.MEMBER, 7)) * 6 // 8 - 4)
    assert signature >= 128, "a version and three numbers stand before it"


def test_a_key_that_is_guessed_byte_by_byte_tells_nothing(cast: Cast, visitor: Client) -> None:
    a_complaint(cast)
    good = link_of(cast.env, "party:complainant", cast.scalar("SELECT id FROM cases"))
    told = set()
    for n in range(0, len(good), 7):
        other = "A" if good[n] != "A" else "B"
        answer = visitor.http.get(f"/p/complainant/{good[:n]}{other}{good[n + 1 :]}")
        told.add((answer.status_code, re.sub(r'value="[^"]+"', "", answer.text)))
    assert len(told) == 1 and next(iter(told))[0] == 404


# --------------------------------------------------------------------------------------------------------------- sizes


def in_pieces(size: int) -> Any:
    """Yield a body that does not say how large it is."""
    for _ in range(size // 65536 + 1):
        yield b"a" * 65536


def test_a_body_that_says_nothing_of_its_size_is_read_as_far_as_the_limit(app: FastAPI) -> None:
    stranger = TestClient(app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)
    form = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n'

    def body() -> Any:
        yield head
        yield from in_pieces(MOST_BYTES)

    assert stranger.post("/sign-in", content=body(), headers=form).status_code == 413


def test_json_that_is_nested_too_deep_is_refused(app: FastAPI, cast: Cast) -> None:
    program = caller(app, cast, "Mina")
    for depth in (DEEPEST + 1, 900):
        body = b'{"a":' * depth + b"1" + b"}" * depth
        answer = program.post("/cases", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400, depth
    wide = b'{"process":"complaint","payload":{"n":' + b"9" * 5000 + b"}}"
    assert program.post("/cases", content=wide, headers={"content-type": "application/json"}).status_code < 500


def test_no_body_of_the_api_sets_what_it_does_not_name(app: FastAPI, cast: Cast) -> None:
    program, tried = caller(app, cast, "Mina"), 0
    a_complaint(cast)
    ref = cast.scalar("SELECT ref FROM cases")
    member = cast.scalar("SELECT ref FROM members")
    for path, body in (
        ("/cases", {"process": "complaint", "owner_id": 1}), (f"/cases/{ref}/notes", {"text": "x", "actor": "staff:1"}),
        (f"/cases/{ref}/assignment", {"to": "bo@muster.example", "restricted_to": []}),
        (f"/cases/{ref}/transitions/acknowledge", {"payload": {}, "state": "closed"}),
        ("/members", {"name": "Eve", "id": 1}),
        (f"/members/{member}/contacts", {"email": "e@e.example", "member_id": 9}),
    ):  # fmt: skip
        answer = program.post(path, json=body)
        odd = next(name for name in body if name in {"owner_id", "actor", "restricted_to", "state", "id", "member_id"})
        assert answer.status_code == 422 and odd in answer.text, (path, answer.text[:200])
        tried += 1
    assert tried == 6


def bomb(tmp_path: Path) -> Path:
    """Write a workbook that would be endless once its entities were put in."""
    book, path = openpyxl.Workbook(), tmp_path / "members.xlsx"
    book.worksheets[0].append(["name"])
    book.save(path)
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE w [<!ENTITY e0 "boom">{entities}]>'.encode()
    sheet = re.sub(rb"<\?xml[^>]*\?>", b"", parts["xl/worksheets/sheet1.xml"])
    sheet = sheet.replace(
        b"</sheetData>", b'<row r="2"><c r="A2" t="inlineStr"><is><t>&e11;</t></is></c></row></sheetData>'
    )
    parts["xl/worksheets/sheet1.xml"] = doctype + sheet
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return path


def test_a_table_that_declares_entities_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be read"):
        list(spreadsheets.read_table(bomb(tmp_path)).records)


def test_a_workbook_is_read_only_by_what_refuses_entities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book, path = openpyxl.Workbook(), tmp_path / "members.xlsx"
    book.worksheets[0].append(["name"])
    book.save(path)
    monkeypatch.setattr(spreadsheets, "DEFUSEDXML", False)
    with pytest.raises(Unusable, match="entities"):
        list(spreadsheets.read_table(path).records)


# ------------------------------------------------------------------------------------------------- headers and the log


def test_every_answer_is_kept_by_nobody_and_framed_by_nobody(app: FastAPI, desk: SignedIn) -> None:
    amara = desk("Amara")
    looked = 0
    for _, path, route in routes(app, "GET"):
        rule = rule_of(route)
        if "{" in path or rule is None or rule.scope is not None:
            continue
        answer = amara.http.get(path, follow_redirects=False)
        kept = answer.headers["cache-control"]
        assert kept == "no-store" or kept.startswith("private"), path
        assert answer.headers["content-security-policy"].split(";")[0] in (POLICY.split(";")[0], "sandbox"), path
        assert answer.headers["x-content-type-options"] == EVERYWHERE["x-content-type-options"], path
        looked += 1
    assert looked > 25


def test_nobody_writes_a_second_line_into_the_log() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(OneLine())
    record = logging.LogRecord(
        "x", logging.INFO, "f", 1, "opened %s", ("Eve\nat=2026 level=INFO message=all\u2028good",), None
    )
    handler.emit(record)
    [line] = out.getvalue().splitlines()
    assert "\\nat=2026" in line and "\\u2028good" in line


def test_who_says_to_come_from_elsewhere_is_slowed_down_all_the_same(
    app: FastAPI, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "matches", lambda kept, password: False)  # a hash each would take its time

    def tried(n: int) -> int:
        headers = {
            "x-forwarded-for": f"203.0.113.{n}",
            "x-real-ip": f"203.0.113.{n}",
            "forwarded": f"for=203.0.113.{n}",
        }
        stranger = TestClient(app, base_url="http://127.0.0.1:8080", cookies={csrf.VISITOR_COOKIE: "v"})
        field = csrf.token(cast.env.settings.secret_key.get_secret_value(), "visitor:v")
        data = {"email": f"nobody{n}@muster.example", "password": "x", "csrf": field}
        return stranger.post("/sign-in", data=data, headers=headers).status_code

    assert 429 in [tried(n) for n in range(23)]


def test_an_answer_in_an_installation_behind_https_says_so_for_good(cast: Cast) -> None:
    settings = cast.env.settings.model_copy(update={"base_url": "https://muster.example.org"})
    object.__setattr__(cast.env, "settings", settings)
    client = TestClient(create_app(cast.env), base_url="https://muster.example.org", follow_redirects=False)
    answer = client.get("/sign-in")
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    cookies = answer.headers.get_list("set-cookie")
    assert cookies and all("Secure" in each and "HttpOnly" in each for each in cookies)
    for path, form in (("/sandbox/sign-in", answer), ("/sign-out", None)):
        shown = form or client.get("/account")
        typed = {"csrf": shown.text.partition('name="csrf" value="')[2].partition('"')[0], "as": "1"}
        given = client.post(path, data=typed, headers={"origin": "https://muster.example.org"})
        [key] = [each for each in given.headers.get_list("set-cookie") if each.startswith("__Host-muster=")]
        assert given.status_code == 303 and "Secure" in key and "Path=/" in key and "Domain" not in key, path
