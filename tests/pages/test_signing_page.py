"""Signing on the personal page, and the pages of the desk about documents."""

from __future__ import annotations

from datetime import timedelta

from cases import commands
from cases.sweep import sweep_due
from state_machines.values import SYSTEM
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client
from tests.signing_story import ENGLISH, IN_FORCE, WELSH, asked, in_force, link, requested, state

CHANDRA = {"name": "Chandra Rao", "position": "Director"}
NEWER = ENGLISH.replace(b"We pay on time.", b"We pay within <b>thirty</b> days.")


def test_the_whole_text_is_read_opened_and_signed_once_by_whoever_is_first(visitor: Client, cast: Cast) -> None:
    ref = requested(cast, in_force(cast))
    home = f"/m/{link(cast, ref)}"

    page = visitor.get(home)
    assert page.words("h1") == ["Code of Practice, version 3.0"]
    assert "Nobody works without a contract." in page.words("#the-text")[0]
    assert "Acme Gins" in page.main and "Thursday 2 April 2026" in page.main
    welsh = page.follow("Cymraeg")
    assert welsh.one("#the-text")["lang"] == "cy" and "the text in English decides" in welsh.main
    assert visitor.http.get(f"{home}/text/cy").content == WELSH
    assert visitor.http.get(f"{home}/text/xx").status_code == 404
    assert state(cast, ref) == "sent", "looking changes nothing"

    sign = welsh.form(f'form[action="{home}/read"]').submit()
    assert (state(cast, ref), sign.path) == ("viewed", f"{home}/sign?language=cy")
    late = visitor.get(f"{home}/sign")
    wrong = sign.form().send({"name": "", "position": "Director"})
    assert wrong.status == 422 and wrong.all("#name-error") and wrong.all("#intent-error")
    summary = wrong.words(".alert-danger li")
    assert summary[0].startswith("Your name: ") and summary[1].startswith("Your consent: please tick the box")
    assert wrong.one("#position")["value"] == "Director"
    assert "Acme Gins" in wrong.words('label[for="intent"]')[0]
    done = wrong.form().send({**CHANDRA, "intent": "yes"})
    assert "The signature is valid" in done.main and f"{ref}-R" in done.main

    second = late.form().send({"name": "Sam Other", "position": "Deputy", "intent": "yes"})
    assert second.status == 409 and "Somebody has signed already" in second.main and "Chandra Rao" in second.main
    again = wrong.form().send({**CHANDRA, "intent": "yes"})
    assert again.status == 200 and cast.scalar("SELECT count(*) FROM signatures") == 1
    receipt = visitor.http.get(f"{home}/receipt.pdf")
    assert receipt.headers["content-disposition"].startswith("attachment")
    assert receipt.content.startswith(b"%PDF") and "Chandra Rao" not in receipt.headers["content-disposition"]


def test_a_signature_cannot_be_given_past_the_page_that_shows_the_text(visitor: Client, cast: Cast) -> None:
    ref = requested(cast, in_force(cast))
    home = f"/m/{link(cast, ref)}"
    csrf = dict(visitor.get(home).form(f'form[action="{home}/read"]').values)["csrf"]
    digest = cast.scalar("SELECT data -> 'document_languages' ->> 'en' FROM cases WHERE ref = :ref", ref=ref)

    forged = {"csrf": csrf, "document_sha256": digest, "language": "en", "legal_name": "Acme Gins", "intent": "true",
              "consent": "I agree to it all", "role_fits": "true", "domain_fits": "true", **CHANDRA}  # fmt: skip
    assert visitor.post(f"{home}/do/sign", forged).status == 403
    assert visitor.post(f"{home}/do/reserve", forged | {"reservation": "None at all"}).status == 403
    assert visitor.post(f"{home}/sign", forged | {"document_sha256": "0" * 64}).status == 409
    assert (state(cast, ref), cast.scalar("SELECT count(*) FROM signatures")) == ("sent", 0)


def test_it_is_signed_with_a_reservation_or_refused_and_an_old_link_is_renewed(visitor: Client, cast: Cast) -> None:
    document = in_force(cast)
    first, second, third = (requested(cast, document) for _ in range(3))

    form = visitor.get(f"/m/{link(cast, first)}/reserve").form()
    files = {"files": ("letter.txt", b"Our lawyer says", "text/plain")}
    empty = form.submit(files=files, **CHANDRA, intent="yes")
    assert empty.status == 422 and empty.all("#reservation-error")
    done = empty.form().submit(files=files, **CHANDRA, intent="yes", reservation="Clause 2 from July on only.")
    assert "Signed with a reservation" in done.main and "Clause 2 from July on only." in done.main
    assert state(cast, first) == "signed_with_reservation"
    assert cast.scalar("SELECT count(*) FROM evidence_files WHERE name = 'letter.txt'") == 1

    refused = visitor.get(f"/m/{link(cast, second)}/refuse").form().submit(statement="Too much", name="Chandra Rao")
    assert state(cast, second) == "refused" and "will not sign" in refused.main
    assert visitor.get(f"/m/{link(cast, second)}/sign").all("#name"), "who has refused may still sign"

    cast.go_to(IN_FORCE + timedelta(days=31))
    sweep_due(cast.env)
    assert state(cast, third) == "expired"
    old = visitor.get(f"/m/{link(cast, third)}")
    assert "too old to sign" in old.main and not old.all(f'form[action="/m/{link(cast, third)}/read"]')
    old.form(f'form[action="/m/{link(cast, third)}/fresh"]').submit()
    assert state(cast, third) == "sent"


def test_an_old_link_leads_on_to_the_version_that_took_its_place(visitor: Client, cast: Cast) -> None:
    document = in_force(cast)
    old = requested(cast, document)
    commands.fire(cast.env, old, "supersede", actor=SYSTEM)
    home = f"/m/{link(cast, old)}"
    assert "nothing to do here" in visitor.get(home).main

    member = cast.scalar("SELECT member_id FROM cases WHERE ref = :ref", ref=old)
    new = asked(cast, document, int(member))
    page = visitor.get(home)
    assert "newer version" in page.main and not page.all("#the-text")
    assert visitor.get(f"{home}/sign").path == home
    page.form(f'form[action="{home}/fresh"]').submit()
    page.form(f'form[action="{home}/fresh"]').submit()
    sent = "SELECT c.ref FROM messages m JOIN cases c ON c.id = m.case_id WHERE m.kind = 'own_link'"
    assert [row.ref for row in cast.rows(sent)] == [new], "asked twice, written once"


def test_a_version_is_begun_changed_reviewed_and_compared_at_the_desk(desk: SignedIn, cast: Cast) -> None:
    amara, mina = desk("Amara"), desk("Mina")
    assert "No document yet" in amara.get("/documents").main
    new = amara.get("/documents/new").form()
    said = {"title": "Code of Practice", "number": "3.0", "summary": "All of it.", "effective_on": "2026-03-03"}
    missing = new.submit(files={"file.0": ("code.exe", b"MZ\x90\x00", "text/plain")}, **said)
    assert missing.status == 422 and "neither a PDF nor a text" in missing.main
    page = missing.form().submit(files={"file.0": ("code.md", ENGLISH, "text/markdown")}, **said)
    ref = page.path.rpartition("/")[2]
    assert page.words("h1") == ["Code of Practice 3.0"] and page.all(".document-text table")

    pages = page.form(f'form[action="/documents/{ref}/texts"]')
    welsh = pages.send({"language.1": "cy"}, files={"file.1": ("cod.md", WELSH, "text/markdown")})
    assert "Cymraeg" in welsh.main
    described = welsh.form(f'form[action="/documents/{ref}/describe"]').submit(summary="Everything is new.")
    assert "Everything is new." in described.main
    stale = pages.send({"language.1": "fr"}, files={"file.1": ("code.md", b"Bonjour", "text/markdown")})
    assert stale.status == 409
    sent = amara.get(f"/documents/{ref}").form(".case-action form").submit()
    assert sent.path == f"/documents/{ref}" and state(cast, ref) == "legal_review"
    mina.get(f"/documents/{ref}").follow("Approve").form("#do").submit()
    cast.go_to(IN_FORCE)
    sweep_due(cast.env)

    next_one = amara.get(f"/documents/{ref}").follow("New version").form()
    later = {"number": "3.1", "summary": "Thirty days.", "effective_on": "2026-04-01"}
    after = next_one.submit(files={"file.0": ("code.md", NEWER, "text/markdown")}, **later)
    assert amara.get(f"/documents/{ref}").follow("Go to version 3.1").path == after.path, "not a third one beside it"
    changed = after.follow("what has changed")
    assert changed.words("ins") and changed.words("del") and "<b>thirty</b>" in changed.text
    assert [row.split()[0] for row in mina.get("/documents").words("tbody th")] == ["3.1", "3.0"]


def test_a_receipt_is_verified_by_its_file_and_by_its_number(desk: SignedIn, visitor: Client, cast: Cast) -> None:
    ref = requested(cast, in_force(cast))
    home = f"/m/{link(cast, ref)}"
    visitor.get(f"{home}/sign").form().send({**CHANDRA, "intent": "yes"})
    content = visitor.http.get(f"{home}/receipt.pdf").content

    number = str(cast.scalar("SELECT receipt_number FROM signatures")).lower()

    verify = desk("Amara").get("/documents").follow("Verify a receipt").form("main form")
    whole = verify.submit(files={"file": ("r.pdf", content, "application/pdf")})
    assert "record of the signature is whole" in whole.main and "Chandra Rao" in whole.main
    assert "Chandra Rao" in verify.submit(number=number).main
    changed = verify.submit(files={"file": ("r.pdf", content + b"\n", "application/pdf")})
    assert "not a receipt that was issued here" in changed.main
    elsewhere = desk("Bo").get("/documents/verify").form("main form").submit(number=number)
    assert "was issued here" in elsewhere.main and "Chandra" not in elsewhere.main
