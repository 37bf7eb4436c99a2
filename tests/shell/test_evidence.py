"""Files on cases: kept under their digest, seen by those who see the case, and only of the types that are taken."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cases import audit, commands, evidence
from cases.answers import member_actor, sample_for, submit
from cases.errors import BadInput, CaseNotFound, NotAllowed
from cases.evidence import Damaged, NoRoom
from config.database import reading, transaction
from state_machines.values import Actor, Role
from tests import campaign_story
from tests.cast import MONDAY, Cast

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489") + b"\0" * 40


def packed(**files: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), content)
    return held.getvalue()


DOCX = packed(**{"[Content_Types]_xml": "<Types/>", "word__document_xml": "<w/>"})
XLSX = packed(**{"[Content_Types]_xml": "<Types/>", "xl__workbook_xml": "<w/>"})
ODT = packed(mimetype="application/vnd.oasis.opendocument.text", content_xml="<o/>")
MACROS = packed(**{"[Content_Types]_xml": "<Types/>", "word__document_xml": "<w/>", "word__vbaProject_bin": "x"})
MSG = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "__properties_version1.0".encode("utf-16-le")


def a_case(cast: Cast, subject: str = "Cold pool") -> str:
    member = cast.members(f"{subject} Ltd")[0]
    ref = cast.scalar("SELECT ref FROM members WHERE id = :id", id=member)
    return commands.open_one(
        cast.env, "complaint", member=ref, subject=subject, payload={"category": "service"}, actor=cast.actor("Amara")
    ).after.ref


def stored(cast: Cast) -> list[Path]:
    return sorted(path for path in cast.env.settings.evidence.rglob("*") if path.is_file())


def test_a_file_is_on_the_case_in_the_record_and_on_the_disk(cast: Cast) -> None:
    ref, amara = a_case(cast), cast.actor("Amara")
    found = evidence.add(cast.env, ref, "letter of Jo.PDF", io.BytesIO(PDF), actor=amara)
    assert (found.name, found.media_type, found.size) == ("letter of Jo.pdf", "application/pdf", len(PDF))
    assert (found.added_by, found.added_at) == (amara.person, MONDAY)
    read, content = evidence.read(cast.env, ref, found.sha256, actor=amara)
    assert (read, content) == (found, PDF)
    (path,) = stored(cast)
    assert path == cast.env.settings.evidence / found.sha256[:2] / found.sha256[2:4] / found.sha256
    event = cast.rows("SELECT kind, details, source, target FROM case_events ORDER BY seq DESC LIMIT 1")[0]
    assert (event.kind, event.source, event.target) == ("evidence", "received", "received")
    assert event.details == {"sha256": found.sha256, "media_type": "application/pdf", "size": len(PDF)}
    assert cast.scalar("SELECT data ->> 'name' FROM event_personal") == "letter of Jo.pdf", "names may name people"
    with reading(cast.env.engine) as conn:
        assert audit.verify(conn).ok


def test_nobody_else_on_the_machine_may_read_the_store(cast: Cast) -> None:
    evidence.add(cast.env, a_case(cast), "a.pdf", PDF, actor=cast.actor("Amara"))
    for path in (cast.env.settings.evidence, *cast.env.settings.evidence.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_same_content_is_stored_once_and_on_one_case_noted_once(cast: Cast) -> None:
    first, second, amara = a_case(cast), a_case(cast, "Other"), cast.actor("Amara")
    found = evidence.add(cast.env, first, "a.pdf", PDF, actor=amara)
    again = evidence.add(cast.env, first, "b.pdf", PDF, actor=amara, now=MONDAY + timedelta(hours=1))
    evidence.add(cast.env, second, "c.pdf", PDF, actor=amara)
    assert again == found
    assert len(stored(cast)) == 1
    assert cast.scalar("SELECT count(*) FROM evidence_files") == 2
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'evidence'") == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", PDF), ("a.png", PNG), ("a.jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 20), ("a.gif", b"GIF89a" + b"\0" * 20),
        ("a.webp", b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 20), ("a.docx", DOCX), ("a.xlsx", XLSX), ("a.odt", ODT),
        ("a.msg", MSG), ("a.txt", "Grüße, Wētā".encode()), ("a.txt", "Grüße".encode("cp1252")),
        ("a.txt", "Grüße".encode("utf-16")), ("BM.txt", b"BM is how some pictures begin"),
        ("a.csv", b"ref;name\r\n1;x\r\n"), ("a.eml", b"From: a@example.org\r\nSubject: x\r\n\r\nHello"),
    ],
)  # fmt: skip
def test_what_people_send_as_evidence_is_taken(cast: Cast, name: str, content: bytes) -> None:
    ref, amara = a_case(cast), cast.actor("Amara")
    found = evidence.add(cast.env, ref, name, content, actor=amara)
    assert evidence.read(cast.env, ref, found.sha256, actor=amara)[1] == content


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("run.exe", b"MZ\x90\0", ".exe are not taken"),
        ("page.html", b"<html></html>", ".html are not taken"),
        ("pack.zip", DOCX, ".zip are not taken"),
        ("invoice.pdf.js", PDF, ".js are not taken"),
        ("noextension", PDF, "needs a name with an extension"),
        (".pdf", PDF, "needs a name with an extension"),
        ("a.pdf", PNG, "says .pdf, but its content is PNG"),
        ("a.pdf", b"MZ\x90\0" + b"\0" * 100, "its content is something else"),
        ("a.docx", XLSX, "its content is XLSX"),
        ("a.docx", packed(anything="x"), "its content is something else"),
        ("a.docx", MACROS, "holds macros"),
        ("a.docx", b"PK\x03\x04 broken", "its content is something else"),
        ("a.txt", PDF, "its content is PDF"),
        ("a.txt", b"MZ\x90\0\x03", "its content is no text"),
        ("a.txt", b"\xef\xbb\xbf  <!DOCTYPE html><script>1</script>", "a web page"),
        ("a.csv", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a web page"),
        ("a.txt", b"#!/bin/sh\nrm x", "a script"),
        ("a.eml", b"just words", "does not begin like a message"),
        ("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "its content is something else"),
        ("a.pdf", b"", "is empty"),
    ],
)
def test_what_could_do_harm_or_is_not_what_it_says_is_refused_and_leaves_nothing(
    cast: Cast, name: str, content: bytes, why: str
) -> None:
    ref = a_case(cast)
    with pytest.raises(BadInput, match=why):
        evidence.add(cast.env, ref, name, content, actor=cast.actor("Amara"))
    assert stored(cast) == []
    assert cast.scalar("SELECT count(*) FROM case_events") == 1


def test_a_file_that_is_too_large_is_refused_while_it_is_read(cast: Cast) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"%PDF-1.7" + b"x" * size

    with pytest.raises(BadInput, match="larger than 20 MB"):
        evidence.add(cast.env, a_case(cast), "a.pdf", Endless(), actor=cast.actor("Amara"))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="larger than"):
        evidence.add(cast.env, a_case(cast, "B"), "a.pdf", PDF, largest=len(PDF) - 1, actor=cast.actor("Amara"))
    assert stored(cast) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\jo\\Documents\\scan.txt", "scan.txt"),
        ("a\r\nSet-Cookie: x.txt", "a Set-Cookie_ x.txt"),
        ("report\u202etxt.exe\u202c.txt", "reporttxt.exe.txt"),
        ("..  .hidden .txt", "hidden.txt"),
        ("cafe\u0301\0.TXT", "café.txt"),
        ("x" * 300 + ".txt", "x" * 116 + ".txt"),
    ],
)
def test_names_are_kept_without_folders_and_invisible_signs(cast: Cast, given: str, kept: str) -> None:
    found = evidence.add(cast.env, a_case(cast), given, b"hello", actor=cast.actor("Amara"))
    assert found.name == kept
    assert len(found.name) <= 120


def test_bo_neither_adds_to_nor_reads_from_the_north(cast: Cast) -> None:
    ref, bo = a_case(cast), cast.actor("Bo")
    found = evidence.add(cast.env, ref, "a.pdf", PDF, actor=cast.actor("Amara"))
    with pytest.raises(CaseNotFound):
        evidence.add(cast.env, ref, "b.txt", b"hello", actor=bo)
    with pytest.raises(CaseNotFound):
        evidence.read(cast.env, ref, found.sha256, actor=bo)
    assert len(stored(cast)) == 1, "nothing of a refused file stays"


def test_a_reference_that_nobody_could_store_is_of_no_case(cast: Cast) -> None:
    with pytest.raises(CaseNotFound):
        evidence.read(cast.env, "CO-\0", "0" * 64, actor=cast.actor("Amara"))


def test_an_auditor_reads_and_does_not_add(cast: Cast) -> None:
    ref = a_case(cast)
    found = evidence.add(cast.env, ref, "a.pdf", PDF, actor=cast.actor("Amara"))
    auditor = Actor("staff:99", "Au", frozenset({Role.AUDITOR}))
    assert evidence.read(cast.env, ref, found.sha256, actor=auditor)[1] == PDF
    with pytest.raises(NotAllowed):
        evidence.add(cast.env, ref, "b.txt", b"hello", actor=auditor)


def test_a_member_reads_what_they_sent_and_not_what_was_collected_about_them(cast: Cast) -> None:
    ref = a_case(cast)
    member_id = cast.scalar("SELECT member_id FROM cases")
    member = Actor(f"member:{member_id}", "Member", frozenset({Role.MEMBER}), member_id=member_id)
    stranger = Actor("member:999", "Other", frozenset({Role.MEMBER}), member_id=999)
    theirs = evidence.add(cast.env, ref, "plan.txt", b"our plan", actor=member)
    ours = evidence.add(cast.env, ref, "notes.txt", b"about them", actor=cast.actor("Amara"))
    assert evidence.read(cast.env, ref, theirs.sha256, actor=member)[1] == b"our plan"
    for actor, digest in ((member, ours.sha256), (stranger, theirs.sha256), (member, "0" * 64)):
        with pytest.raises(CaseNotFound):
            evidence.read(cast.env, ref, digest, actor=actor)


def test_a_full_disk_leaves_nothing_half_done(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ref, amara = a_case(cast), cast.actor("Amara")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("cases.evidence.os.fsync", full)
        with pytest.raises(NoRoom, match="No space left"):
            evidence.add(cast.env, ref, "a.pdf", PDF, actor=amara)
    assert stored(cast) == []
    assert cast.scalar("SELECT count(*) FROM case_events") == 1
    assert cast.scalar("SELECT count(*) FROM evidence_files") == 0
    evidence.add(cast.env, ref, "a.pdf", PDF, actor=amara)
    assert len(stored(cast)) == 1


def test_row_and_event_are_written_together_or_not_at_all(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = a_case(cast)
    monkeypatch.setattr("cases.evidence.insert", lambda table: (_ for _ in ()).throw(RuntimeError("power cut")))
    with pytest.raises(RuntimeError, match="power cut"):
        evidence.add(cast.env, ref, "a.pdf", PDF, actor=cast.actor("Amara"))
    assert cast.scalar("SELECT count(*) FROM case_events WHERE kind = 'evidence'") == 0


def test_missing_and_damaged_files_are_found_and_never_handed_out(cast: Cast) -> None:
    ref, amara = a_case(cast), cast.actor("Amara")
    files = [evidence.add(cast.env, ref, f"{n}.txt", f"text {n}".encode(), actor=amara) for n in range(4)]
    assert evidence.verify_files(cast.env) == []
    paths = [evidence.path_of(cast.env.settings.evidence, found.sha256) for found in files]
    paths[0].unlink()
    paths[1].write_bytes(b"TEXT 1")
    paths[2].write_bytes(b"text 2 and more")
    found = {finding.why.split(" ", 3)[3]: finding.ref for finding in evidence.verify_files(cast.env)}
    assert found == {
        "cannot be read (No such file or directory)": ref, "is damaged": ref, "has another size than it had": ref
    }  # fmt: skip
    for file in files[:3]:
        with pytest.raises(Damaged):
            evidence.read(cast.env, ref, file.sha256, actor=amara)
    assert evidence.read(cast.env, ref, files[3].sha256, actor=amara)[1] == b"text 3"


def test_contents_that_belong_to_no_case_are_found_after_a_day(cast: Cast) -> None:
    ref = a_case(cast)
    found = evidence.add(cast.env, ref, "a.txt", b"hello", actor=cast.actor("Amara"))
    with transaction(cast.env.engine) as conn:
        conn.execute(text("DELETE FROM evidence_files"))
    assert evidence.verify_files(cast.env) == [], "it may be on its way"
    path = evidence.path_of(cast.env.settings.evidence, found.sha256)
    os.utime(path, (0, 0))
    (finding,) = evidence.verify_files(cast.env)
    assert finding.why == "the stored file belongs to no case"


def test_a_certificate_that_had_expired_by_what_was_said_before_or_is_damaged_is_asked_about(cast: Cast) -> None:
    cast.members("Wool & Sons Ltd", tier="General")
    flags = []
    for year, until in ((2026, "2026-12-31"), (2027, "2029-12-31"), (2028, "2029-12-31")):
        story = campaign_story.launched(
            cast, title=f"Self-assessment {year}", questionnaire="self-assessment", launch=f"{year}-03-09",
            deadline=f"{year}-04-20",
        )  # fmt: skip
        ref = story.response("Wool & Sons Ltd")
        file = evidence.add(cast.env, ref, "certificate.pdf", PDF, actor=member_actor(1))
        if year == 2028:
            evidence.path_of(cast.env.settings.evidence, file.sha256).write_bytes(b"something else")
        samples = (sample_for(cast.env, ref, seed=seed) for seed in range(99))
        raw = next(each for each in samples if each["answers"].get("sources_material"))
        answers = {**raw["answers"], "certificate": file.sha256, "certificate_until": until}
        found = submit(cast.env, ref, {**raw, "answers": answers}).flags
        flags.append([flag.text.split(" ", 2)[2] for flag in found if flag.question == "certificate"])

    assert flags == [[], ["expired on 2026-12-31."], ["can't be read."]]
