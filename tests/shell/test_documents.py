"""Versions of documents on a real database: their texts, the day they take effect, and who hears of it."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cases import audit, campaigns, evidence
from cases.documents import reading, signatures
from cases.documents.files import Given
from cases.documents.versions import change_texts
from cases.errors import BadInput, CaseChanged, CaseNotFound, NotAllowed, TransitionRefused
from cases.evidence import path_of
from cases.own.giving_signature import NotInForce, SignedAlready, TextMoved, sign
from cases.sweep import sweep_due
from config.database import transaction
from state_machines.values import Actor, Role
from tests.cast import Cast
from tests.shell.cli_runner import muster_of
from tests.signing_story import (
    ENGLISH,
    IN_FORCE,
    WELSH,
    fire,
    form,
    in_force,
    page,
    requested,
    signatory,
    state,
    texts,
    version,
)

NEWER = ENGLISH.replace(b"We pay on time.", b"We pay within thirty days.")


def pdf(inside: bytes = b"") -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + inside + b" >>\nendobj\ntrailer << >>\nstartxref\n9\n%%EOF\n"


def test_a_version_is_kept_byte_for_byte_and_read_in_each_language(cast: Cast) -> None:
    ref = version(cast, files=texts(cy=WELSH, fr=b"\xef\xbb\xbf# Code\n") | {"de": Given("../Kodex.txt", pdf())})
    amara = cast.actor("Amara")

    assert reading.read_text(cast.env, ref, actor=amara).content == ENGLISH
    welsh = reading.read_text(cast.env, ref, "cy", actor=amara)
    assert (welsh.content, welsh.name, welsh.authoritative) == (WELSH, "code-cy.md", False)
    assert "Ŵyl, Môn a'r Wyddfa" in welsh.html
    german = reading.read_text(cast.env, ref, "de", actor=amara)
    assert (german.media_type, german.name, german.html) == ("application/pdf", "Kodex.pdf", "")
    assert "\ufeff" not in reading.read_text(cast.env, ref, "fr", actor=amara).html
    with pytest.raises(CaseNotFound):
        reading.read_text(cast.env, ref, "xx", actor=amara)
    assert evidence.verify_files(cast.env) == []


REFUSED = [
    (b"PK\x03\x04\xff a zip", "neither a PDF nor a text"),
    ("Grüße".encode("latin-1"), "neither a PDF nor a text"),
    (b"<html><script>alert(1)</script>", "a web page"),
    (b" \n ", "no text in it"),
    (b"one\x00two", "characters that no text has"),
    (pdf(b"/OpenAction << /S /JavaScript /JS (app.alert) >>"), "holds a script"),
    (pdf(b"/Names << /#4AavaScript 3 0 R >>"), "holds a script"),
    (pdf(b"/AA << /O << /S /Launch >> >>"), "starts another program"),
    (pdf(b"/Encrypt 4 0 R"), "protected by a password"),
    (pdf()[:40], "not whole"),
    (b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MB"),
]


def test_what_is_no_text_or_does_more_than_show_one_is_refused(cast: Cast) -> None:
    for content, why in REFUSED:
        with pytest.raises(BadInput, match=why):
            version(cast, files={"en": Given("code.pdf", io.BytesIO(content))})
    with pytest.raises(BadInput, match="cy and en have the same text"):
        version(cast, files=texts(cy=ENGLISH))
    with pytest.raises(TransitionRefused) as no:
        version(cast, authoritative="de")
    assert no.value.refused.errors
    with pytest.raises(NotAllowed):
        version(cast, actor=Actor("staff:1", "Site", frozenset({Role.SITE})))
    assert cast.scalar("SELECT count(*) FROM cases") == 0


def test_texts_change_in_the_draft_and_never_afterwards(cast: Cast) -> None:
    ref, bo = version(cast), cast.actor("Bo")

    with pytest.raises(CaseChanged):
        change_texts(cast.env, ref, texts(NEWER), seen_version=9, actor=bo)
    change_texts(cast.env, ref, {"en": Given("b.md", NEWER), "cy": None, "fr": Given("f.md", b"Bonjour")}, actor=bo)
    found = reading.version(cast.env, ref, actor=bo)
    assert [(t.language, t.authoritative) for t in found.texts] == [("en", True), ("fr", False)]
    assert found.written_by == ["Amara", "Bo"]
    with pytest.raises(TransitionRefused, match="language that decides"):
        change_texts(cast.env, ref, {"en": None}, actor=bo)

    fire(cast, ref, "send_to_review", "Amara")
    with pytest.raises(TransitionRefused, match="Legal review"):
        change_texts(cast.env, ref, texts(ENGLISH), actor=bo)
    assert reading.read_text(cast.env, ref, actor=bo).content == NEWER
    stored = path_of(cast.env.settings.evidence, found.text("en").sha256)
    stored.chmod(0o600)
    stored.write_bytes(ENGLISH)
    with pytest.raises(reading.TextChanged, match="not the one that was approved"):
        reading.read_text(cast.env, ref, actor=bo)


def test_a_new_version_takes_the_place_of_the_old_one_on_its_day(cast: Cast) -> None:
    old, mina = in_force(cast), cast.actor("Mina")
    with pytest.raises(BadInput, match=r"version 3\.0 of Code of Practice already"):
        version(cast, "3.0", NEWER)

    new = version(cast, "3.1", NEWER, supersedes=old.lower(), effective_on=date(2026, 3, 10), material=False)
    with pytest.raises(BadInput, match=f"{new} is to take the place of {old} already"):
        version(cast, "3.2", NEWER, supersedes=old)
    fire(cast, new, "send_to_review", "Amara")
    fire(cast, new, "approve", "Mina")
    assert (state(cast, old), state(cast, new)) == ("effective", "approved")
    cast.go_to(datetime.fromisoformat("2026-03-10T09:00:00+00:00"))
    sweep_due(cast.env)

    assert (state(cast, old), state(cast, new)) == ("superseded", "effective")
    found = reading.version(cast.env, new, actor=mina)
    assert (found.before and found.before.ref, found.approved_by) == (old, ["Mina"])
    after = reading.version(cast.env, old, actor=mina).after
    assert after is not None and after.ref == new
    changed = reading.changes(cast.env, found, "en", actor=mina)
    assert changed is not None
    assert [piece.text for each in changed for piece in each.pieces if piece.kind == "added"] == ["within thirty days"]
    with pytest.raises(BadInput, match="not in force"):
        version(cast, "4.0", supersedes=old)
    assert [line.number for line in reading.documents(cast.env, actor=mina)["Code of Practice"]] == ["3.1", "3.0"]


def test_a_signature_counts_at_once_where_signer_address_and_name_fit_and_leaves_its_evidence(cast: Cast) -> None:
    document = in_force(cast)
    ref = requested(cast, document)
    found = page(cast, ref, "cy")
    assert (found.text and found.text.content, state(cast, ref)) == (WELSH, "sent")

    assert sign(cast.env, found, form(found))
    assert state(cast, ref) == "valid"
    [row] = cast.rows("SELECT * FROM signatures")
    assert row.signer | {"x": 1} == {
        "name": "Chandra Rao", "position": "Director", "email": "chandra@acme.example", "address": "192.0.2.7",
        "browser": "Firefox", "reservation": "", "x": 1,
    }  # fmt: skip
    assert (row.role_fits, row.domain_fits, row.language, row.signed_at) == (True, True, "cy", IN_FORCE)
    assert (row.sent_at, row.document_sha256, row.receipt_number) == (
        IN_FORCE, found.text.sha256 if found.text else "", f"{ref}-R{row.seq}",
    )  # fmt: skip
    event = cast.rows(
        "SELECT trigger, details FROM case_events WHERE case_id = :c AND seq = :s", c=row.case_id, s=row.seq
    )
    assert (event[0].trigger, event[0].details["payload"]["consent"]) == ("sign", row.consent)
    assert "Chandra" not in str(event[0].details), "what names the signer is kept beside the event"

    assert not sign(cast.env, page(cast, ref, "cy"), form(found)), "the same form twice is one signature"
    with pytest.raises(SignedAlready):
        sign(cast.env, found, form(found, name="Sam Other"))
    assert cast.scalar("SELECT count(*) FROM signatures") == 1
    assert evidence.verify_files(cast.env) == []
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE signatures SET signer = NULL"))
        conn.execute(text("DELETE FROM event_personal WHERE case_id = :id"), {"id": row.case_id})
        assert audit.verify(conn).problems == [], "erasing the person leaves the chain whole"
    given = page(cast, ref).given
    assert given is not None and given.erased and given.signed.name == ""


def test_a_receipt_says_what_was_signed_is_the_same_bytes_always_and_is_known_again(cast: Cast) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    from cases.documents.receipt import printed

    ref = requested(cast, in_force(cast), name="Åse Łukasiewicz", email="ase@acme.example")
    found = page(cast, ref)
    sign(cast.env, found, form(found, name="Åse Łukasiewicz", reservation="Clause 2 from July on only."))
    given = page(cast, ref).given
    assert given is not None and state(cast, ref) == "signed_with_reservation"

    content = signatures.receipt(cast.env, given)
    said = " ".join(" ".join(p.extract_text() for p in PdfReader(BytesIO(content)).pages).split())
    assert found.text is not None
    for part in (given.signed.number, "Åse Łukasiewicz", "Code of Practice", "3.0", "2026-03-03 09:00:00 UTC",
                 "Clause 2 from July on only.", "Acme Gins", "192.0.2.7", given.signed.consent):  # fmt: skip
        assert part in said, part
    assert found.text.sha256 in said.replace(" ", "")
    assert printed(given.signed, cast.env.settings.zone) == content

    amara, bo = cast.actor("Amara"), cast.actor("Bo")
    genuine = signatures.verify_file(cast.env, content, actor=amara)
    assert genuine.genuine and genuine.given == given
    assert not signatures.verify_file(cast.env, content + b" ", actor=amara).genuine
    assert signatures.verify_number(cast.env, f" {given.signed.number.lower()} ", actor=amara).given == given
    assert not signatures.verify_number(cast.env, "SG-1\x00", actor=amara).genuine
    elsewhere = signatures.verify_file(cast.env, content, actor=bo)
    assert elsewhere.genuine and elsewhere.given is None, "Bo must never see the North"
    honest = cast.rows("SELECT signer::text, consent FROM signatures")[0]
    for change in (
        "consent = 'something else'",
        "signer = jsonb_set(signer, '{name}', '\"Mallory\"')",
        "signer = jsonb_set(signer, '{reservation}', '\"None\"')",
        "signed_at = signed_at - interval '1 day'",
    ):
        with transaction(cast.env.engine) as conn:
            conn.execute(text(f"UPDATE signatures SET {change}"))
        assert "does not agree with the history" in signatures.verify_file(cast.env, content, actor=amara).sentence
        with transaction(cast.env.engine) as conn:
            conn.execute(
                text("UPDATE signatures SET signer = CAST(:s AS jsonb), consent = :c"), {"s": honest[0], "c": honest[1]}
            )


def test_a_signature_that_does_not_fit_waits_for_somebody_to_look(cast: Cast) -> None:
    document = in_force(cast)
    stories: list[tuple[dict[str, Any], dict[str, Any], tuple[bool, bool]]] = [
        ({}, {"name": "Somebody Else"}, (False, True)),
        ({"email": "acme@gmail.com", "role": "executive"}, {"name": "Dr. Chandra Rao"}, (True, False)),
    ]
    for contact, typed, fits in stories:
        ref = requested(cast, document, **contact)
        found = page(cast, ref)
        sign(cast.env, found, form(found, **typed))
        row = cast.rows("SELECT role_fits, domain_fits FROM signatures ORDER BY case_id DESC")[0]
        assert ((row.role_fits, row.domain_fits), state(cast, ref)) == (fits, "signed")


def test_a_text_that_is_not_the_one_asked_for_is_never_signed(cast: Cast) -> None:
    old = in_force(cast)
    ref = requested(cast, old)
    found = page(cast, ref)
    with pytest.raises(TextMoved):
        sign(cast.env, found, form(found, document_sha256="0" * 64))
    with pytest.raises(TextMoved):
        sign(cast.env, found, form(found, language="cy"))
    with pytest.raises(TransitionRefused) as no:
        sign(cast.env, found, form(found, intent=False, name=" "))
    assert {"intent", "name"} <= set(no.value.refused.errors)

    new = version(cast, "3.1", NEWER, supersedes=old, effective_on=date(2026, 3, 4))
    fire(cast, new, "send_to_review", "Amara")
    fire(cast, new, "approve", "Mina")
    cast.go_to(IN_FORCE + timedelta(days=1))
    sweep_due(cast.env)
    with pytest.raises(NotInForce):
        sign(cast.env, found, form(found))
    assert found.text is not None
    path_of(cast.env.settings.evidence, found.text.sha256).chmod(0o600)
    path_of(cast.env.settings.evidence, found.text.sha256).write_bytes(b"We never pay.")
    with pytest.raises(reading.TextChanged):
        page(cast, ref)
    assert cast.scalar("SELECT count(*) FROM signatures") == 0


def test_the_command_begins_lists_and_prints_versions_and_verifies_receipts(cast: Cast, tmp_path: Path) -> None:
    muster = muster_of(cast)
    file = tmp_path / "code.md"
    file.write_bytes(WELSH)
    words = ("--text", f"cy={file}", "--summary", "All new", "--as", "amara@muster.example")
    added = muster.json("documents", "add", "Cod", "1.0", *words, "--effective-on", "2026-03-03")
    assert muster("documents", "show", added["ref"], "--language", "cy").out.encode() == WELSH
    [line] = muster.json("documents", "list")["items"]
    assert (line["number"], line["state"]) == ("1.0", "draft")
    assert muster.json("documents", "show", added["ref"])["written_by"] == ["Amara"]
    missing = ("--text", "en=nowhere.md", *words[2:], "--effective-on", "2026-03-03")
    assert "nowhere.md cannot be read" in muster("documents", "add", "Code", "1.0", *missing, code=1).err

    ref = requested(cast, in_force(cast))
    found = page(cast, ref)
    sign(cast.env, found, form(found))
    given = page(cast, ref).given
    assert given is not None
    receipt = tmp_path / "receipt.pdf"
    receipt.write_bytes(signatures.receipt(cast.env, given))
    assert "Chandra Rao" in muster("documents", "verify", receipt).out
    assert muster.json("documents", "verify", "--number", given.signed.number)["genuine"] is True
    receipt.write_bytes(b"%PDF-1.7 something else")
    assert "not a receipt" in muster("documents", "verify", receipt, code=1).out


def test_of_two_who_sign_at_the_same_moment_one_is_first_and_the_other_sees_it(cast: Cast) -> None:
    ref = requested(cast, in_force(cast))
    found = page(cast, ref)

    def signs(name: str) -> bool | str:
        try:
            return sign(cast.env, found, form(found, name=name))
        except SignedAlready as late:
            return str(late)

    with ThreadPoolExecutor(2) as both:
        said = list(both.map(signs, ("Chandra Rao", "Sam Other")))
    assert sorted(map(str, said)) == [str(SignedAlready()), "True"]
    assert cast.scalar("SELECT count(*) FROM signatures") == 1
    assert cast.scalar("SELECT count(*) FROM evidence_files WHERE media_type = 'application/pdf'") == 1


def test_a_campaign_hears_of_every_version_after_the_one_it_began_with(cast: Cast) -> None:
    first = in_force(cast)
    signatory(cast)
    campaign = campaigns.plan_campaign(cast.env, {
        "kind": "signoff", "title": "Sign-off 2026", "document": first, "launch": "2026-03-05",
        "deadline": "2026-04-02", "population": {"status": ["active"]},
    }, actor=cast.actor("Mina")).after.ref  # fmt: skip
    fire(cast, campaign, "approve_plan", "Max", data_protection_checked=True)

    for number, day in (("3.1", 4), ("3.2", 5)):
        before = cast.scalar("SELECT ref FROM cases WHERE process = 'code_document' AND state = 'effective'")
        at = IN_FORCE + timedelta(days=day - 3)
        more = {"supersedes": before, "effective_on": at.date(), "material": False}
        in_force(cast, number, ENGLISH + number.encode(), at, **more)
        told = cast.scalar("SELECT data ->> 'document_number' FROM cases WHERE ref = :ref", ref=campaign)
        assert told == number
