"""A sign-off by the 45 members of a published register, in the browser from the import to the end of the campaign."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from config.database import transaction
from tests.browser.conftest import PHONE, Desk, Person, Someone
from tests.browser.signing_day import (
    NEW_WELSH,
    WELSH,
    Days,
    Others,
    Signatory,
    code,
    figures,
    link_in,
    parts,
    with_directors,
)
from tests.cast import Cast
from tests.signing_story import in_force
from tests.signoff_story import NAMES, launched, signers, signs

pytestmark = pytest.mark.browser

EVERYBODY_CLICKS = bool(os.environ.get("MUSTER_SOAK"))
"""Whether all members sign in Chromium, not only those of whom something special is told."""
DESKTOP, ON_A_PHONE, SCRIPTLESS, IN_WELSH = "Wētā FX Limited", "Framestore", "Blender Foundation", "Laika"
WRONG, RESERVED, REFUSED, STALE = "Autodesk", "Netflix, Inc.", "Epic Games, Inc", "OTOY, Inc."
NOBODY_TO_ASK = "Maxon Computer GmbH"
SPECIAL = (DESKTOP, ON_A_PHONE, SCRIPTLESS, IN_WELSH, WRONG, RESERVED, REFUSED, STALE, NOBODY_TO_ASK)
CLAUSE = "Clause 2 can bind our studio in Vancouver from July on only."
REQUEST = "Please sign by"


@dataclass
class SignOff:
    """The sign-off as it is told: who the members' directors are, who sits at which browser, and what was sent."""

    desk: Desk
    someone: Someone
    days: Days
    directors: dict[str, str]
    staff: dict[str, Page] = field(default_factory=dict)
    document: str = ""
    campaign: str = ""

    def at_desk(self, name: str, path: str = "") -> Page:
        """Somebody of the staff, on a page of the desk."""
        if name not in self.staff:
            self.staff[name] = self.someone(name).page
        self.staff[name].goto(path or f"/campaigns/{self.campaign}")
        return self.staff[name]

    def address(self, member: str) -> str:
        """Where the director of a member gets mail."""
        statement = (
            "SELECT email FROM contacts c JOIN members m ON m.id = c.member_id WHERE m.name = :name AND c.name <> ''"
        )
        return str(self.desk.cast.scalar(statement, name=member))

    def coordinator(self, member: str) -> str:
        """Who of the cast coordinates the team of a member."""
        team = self.desk.cast.scalar("SELECT team FROM members WHERE name = :name", name=member)
        return {"North": "Amara", "South": "Bo"}[team]

    def home(self, member: str, about: str = REQUEST) -> str:
        """The link in the newest such mail to the director of a member."""
        return link_in(self.days.newest(self.address(member), about))

    def signatory(self, member: str, person: Person | None = None, about: str = REQUEST) -> Signatory:
        """The director of a member, at a browser."""
        page = (person or self.someone()).page
        return Signatory(page, self.home(member, about), self.directors[member])

    def the_rest(self, count: int | None = None) -> None:
        """Let members of whom nothing special is told sign."""
        others = [name for name in self.directors if name not in SPECIAL][:count]
        plain, clicking = Others(self.desk), self.someone() if EVERYBODY_CLICKS else None
        for name in others:
            if clicking is not None:
                expect(self.signatory(name, clicking).sign().locator("main")).to_contain_text("The signature is valid")
            else:
                plain.sign(self.home(name), self.directors[name])

    def case(self, member: str, who: str) -> Page:
        """The newest signature of a member, as somebody of the staff finds it from the campaign."""
        page = self.at_desk(who, f"/campaigns/{self.campaign}/members?q={member.split()[0]}")
        page.get_by_role("link", name=member).click()
        page.wait_for_url("**/cases/SG-*")
        return page


def do(page: Page, deed: str, **typed: str) -> None:
    """Do something that is offered on a page: open its form, fill it in, send it."""
    page.get_by_role("link", name=deed, exact=True).first.click()
    for name, value in typed.items():
        page.locator(f"#do [name='{name}']").fill(value)
    page.locator("#do").get_by_role("button", name=deed, exact=True).click()
    expect(page.locator(".alert-success")).to_be_visible()


@pytest.fixture
def story(running: Desk, someone: Someone, shared_data: Path, tmp_path: Path) -> SignOff:
    """The members of the published register, and a code in force in two languages, all by hand on the pages."""
    path, directors = with_directors(shared_data / "members-aswf.csv", tmp_path, NOBODY_TO_ASK)
    story = SignOff(running, someone, Days(running.cast), directors)
    _import_members(story, path)
    story.document = _bring_out(story, "3.0", code(), WELSH, "2026-03-03")
    story.days.at("2026-03-03")
    return story


def _import_members(story: SignOff, path: Path) -> None:
    mina = story.at_desk("Mina", "/members/import")
    mina.get_by_label("A CSV or XLSX file").set_input_files(path)
    mina.get_by_role("button", name="Upload and go on").click()
    guessed = {column: mina.get_by_label(column, exact=True).input_value() for column in (
        "Organisation", "Membership tier", "Website", "Crunchbase", "Contact e-mail (made up)", "Contact name 2",
        "E-mail 2", "Contact role 2", "Team",
    )}  # fmt: skip
    assert list(guessed.values()) == [
        "name", "tier", "website", "", "email", "contact_name_2", "email_2", "contact_role_2", "team",
    ]  # fmt: skip
    mina.get_by_role("button", name="See what would be done").click()
    expect(mina.locator("main")).to_contain_text("Þórdís Nováková, director@ciq.example, signatory")
    mina.get_by_role("button", name="Import: 45 new, 0 changed").click()
    expect(mina.locator("main")).to_contain_text("The file is imported.")


def _bring_out(story: SignOff, number: str, english: bytes, welsh: bytes, day: str) -> str:
    """Amara writes a version, and Mina approves it; return its reference."""
    amara = story.at_desk("Amara", "/documents")
    if story.document:
        amara.get_by_role("link", name="3.0", exact=True).click()
        amara.get_by_role("link", name="New version").click()
        amara.get_by_label("Summary").fill("Clause 1: nobody works more than 46 hours a week.")
    else:
        amara.get_by_role("link", name="New document").click()
        amara.get_by_label("Title").fill("Code of Practice")
        amara.get_by_label("Summary").fill("The code as the general meeting adopted it.")
    amara.get_by_label("Number").fill(number)
    amara.get_by_label("Effective on").fill(day)
    amara.locator("#file-0").set_input_files({"name": "code.md", "mimeType": "text/markdown", "buffer": english})
    amara.locator("#language-1").select_option("cy")
    amara.locator("#file-1").set_input_files({"name": "cod.md", "mimeType": "text/markdown", "buffer": welsh})
    amara.get_by_role("button", name="Begin the version").click()
    expect(amara.locator("h1")).to_have_text(f"Code of Practice {number}")
    ref = amara.url.rpartition("/")[2]
    amara.get_by_role("button", name="Send to review").click()
    expect(amara.locator(".case-marks")).to_contain_text("Legal review")
    mina = story.at_desk("Mina", f"/documents/{ref}")
    do(mina, "Approve", note="Read by the legal adviser.")
    return ref


def _plan(story: SignOff) -> None:
    """Amara plans the sign-off, and Mina approves the plan; the day of its launch comes."""
    amara = story.at_desk("Amara", "/campaigns")
    amara.get_by_role("link", name="Plan a campaign").first.click()
    amara.get_by_role("link", name="A document to sign").click()
    amara.get_by_label("Document").select_option(story.document)
    amara.get_by_label("Title").fill("Code of Practice 2026")
    amara.get_by_label("Launch").fill("2026-03-09")
    amara.get_by_label("Deadline").fill("2026-04-08")
    amara.get_by_role("button", name="Plan this campaign").click()
    expect(amara.locator(".alert-success")).to_contain_text("Code of Practice 2026 is planned")
    story.campaign = amara.url.rpartition("/")[2]
    mina = story.at_desk("Mina")
    mina.get_by_role("link", name="Approve plan").click()
    mina.get_by_label("Data protection checked").check()
    mina.locator("#do").get_by_role("button", name="Approve plan").click()
    expect(mina.locator(".alert-success")).to_be_visible()
    story.days.at("2026-03-09")


def _seen(story: SignOff, **expected: int) -> None:
    """The campaign page says how many there are of each, and they are everybody."""
    titles = {
        "valid": "Signed, valid", "checked": "Signed, to be checked", "decided": "No signature, decided",
        "nobody": "Nobody to ask, or mail comes back", "outstanding": "Outstanding",
    }  # fmt: skip
    mina = story.at_desk("Mina")
    assert dict(parts(mina)) == {titles[name]: number for name, number in expected.items()}
    assert sum(expected.values()) == 45
    signed = expected.get("valid", 0) + expected.get("checked", 0)
    shares = {name: f"{100 * number // 45} %" if number < 45 else "All 45" for name, number in (
        ("complete or exempt", expected.get("valid", 0)), ("signed", signed),
        ("accounted for", signed + expected.get("decided", 0)),
    )}  # fmt: skip
    assert figures(mina) == shares
    assert "100 %" not in mina.locator(".campaign-figures").inner_text()


def test_45_members_sign_a_code_and_again_a_newer_one_and_nobody_is_lost(story: SignOff) -> None:
    _plan(story)
    _seen(story, outstanding=44, nobody=1)
    letters = [mail for mail in story.days.mails if mail.subject.startswith(REQUEST)]
    assert len({mail.to_email for mail in letters}) == len(letters) == 44

    _all_kinds_of_signatories(story)
    waiting = _somebody_who_has_the_form_open(story)
    story.the_rest(5)
    _seen(story, valid=11, decided=1, nobody=1, outstanding=32)

    old = {name: story.home(name) for name in (DESKTOP, REFUSED)}
    story.document = _bring_out(story, "4.0", code(46), NEW_WELSH, "2026-03-20")
    story.days.at("2026-03-20")
    _seen(story, outstanding=44, nobody=1)
    _old_pages_say_so(story, waiting, old)
    _sign_the_newer_one(story)
    _seen(story, valid=44, decided=1)
    _close(story)


def _all_kinds_of_signatories(story: SignOff) -> None:
    first = story.signatory(DESKTOP)
    done = first.sign()
    expect(done.locator("main")).to_contain_text("The signature is valid")
    _receipt_is_verified(story, done, DESKTOP)

    on_a_phone = story.signatory(ON_A_PHONE)
    on_a_phone.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(on_a_phone.sign().locator("main")).to_contain_text("The signature is valid")
    scriptless = story.signatory(SCRIPTLESS, story.someone(java_script_enabled=False))
    expect(scriptless.sign().locator("main")).to_contain_text("The signature is valid")
    _reads_the_other_language(story.signatory(IN_WELSH))
    _is_the_wrong_one(story)
    _has_a_reservation(story)
    _refuses(story)


def _receipt_is_verified(story: SignOff, page: Page, member: str) -> None:
    with page.expect_download() as receipt:
        page.get_by_role("link", name="The receipt (PDF)").click()
    amara = story.at_desk("Amara", "/documents")
    amara.get_by_role("link", name="Verify a receipt").click()
    amara.get_by_label("The file of the receipt").set_input_files(receipt.value.path())
    amara.get_by_role("button", name="Verify").click()
    expect(amara.locator("main")).to_contain_text("record of the signature is whole")
    expect(amara.locator("main")).to_contain_text(story.directors[member])


def _reads_the_other_language(signatory: Signatory) -> None:
    page = signatory.open()
    page.get_by_role("link", name="Cymraeg").click()
    expect(page.locator("#the-text")).to_have_attribute("lang", "cy")
    with page.expect_download() as file:
        page.get_by_role("link", name="Read it as a file").click()
    assert Path(file.value.path()).read_bytes() == WELSH
    page.get_by_role("button", name="I have read it: go on to sign").click()
    signatory.fill().get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator("main")).to_contain_text("Code of Practice, version 3.0, Cymraeg")
    expect(page.locator("#the-text")).to_have_attribute("lang", "cy")


def _is_the_wrong_one(story: SignOff) -> None:
    assistant = story.signatory(WRONG)
    expect(assistant.sign(name="Robin Marsh").locator("main")).to_contain_text("We check it")
    _seen(story, valid=4, checked=1, nobody=1, outstanding=39)
    amara = story.case(WRONG, story.coordinator(WRONG))
    do(amara, "This person may not sign", reason="Mr Marsh buys, and may not sign")
    told = story.days
    told.deliver()
    assert "may not sign for it" in told.newest(story.address(WRONG), "The signature does not count yet").text
    do(story.case(WRONG, story.coordinator(WRONG)), "Ask again", reason="The director signs herself")
    told.deliver()
    expect(story.signatory(WRONG).sign().locator("main")).to_contain_text("The signature is valid")


def _has_a_reservation(story: SignOff) -> None:
    page = story.signatory(RESERVED).open()
    page.get_by_role("link", name="Sign with a reservation").click()
    page.get_by_label("Your reservation").fill(CLAUSE)
    page.get_by_label("Your name").fill(story.directors[RESERVED])
    page.get_by_label("Your position").fill("President")
    page.locator("#intent").check()
    page.get_by_role("button", name="Sign with this reservation").click()
    expect(page.locator("main")).to_contain_text("We decide about it")
    story.days.deliver()
    assert CLAUSE in story.days.newest("mina@muster.example", "A reservation to decide").text
    mina = story.case(RESERVED, "Mina")
    expect(mina.locator("main")).to_contain_text(CLAUSE)
    do(mina, "Accept the reservation", reason="The legal adviser agrees")
    page.reload()
    expect(page.locator("main")).to_contain_text("The signature is valid")


def _refuses(story: SignOff) -> None:
    page = story.signatory(REFUSED).open()
    page.get_by_role("link", name="Say that you will not sign").click()
    page.get_by_label("Why").fill("Our board does not agree to clause 4.")
    page.get_by_label("Your name").fill(story.directors[REFUSED])
    page.get_by_role("button", name="We will not sign").click()
    expect(page.locator("main")).to_contain_text("your organisation will not sign")
    caused = story.desk.cast.scalar(
        "SELECT count(*) FROM case_links l JOIN cases i ON i.id = l.from_id JOIN cases s ON s.id = l.to_id "
        "JOIN members m ON m.id = s.member_id AND m.id = i.member_id WHERE l.type = 'caused_by' "
        "AND i.process = 'monitoring' AND s.state = 'refused' AND m.name = :name", name=REFUSED,
    )  # fmt: skip
    assert caused == 1


def _somebody_who_has_the_form_open(story: SignOff) -> Signatory:
    waiting = story.signatory(STALE)
    waiting.read()
    waiting.fill()
    return waiting


def _old_pages_say_so(story: SignOff, waiting: Signatory, old: dict[str, str]) -> None:
    waiting.page.get_by_role("button", name="Sign", exact=True).click()
    expect(waiting.page.locator("main")).to_contain_text("A newer version, 4.0, has taken the place of this one")
    expect(waiting.page.locator("main")).to_contain_text("46 hours a week")
    waiting.page.get_by_role("button", name="Send the new link by e-mail").click()
    story.days.deliver()
    for name, home in old.items():
        page = story.someone().page
        page.goto(home)
        expect(page.locator("main")).to_contain_text("A newer version, 4.0, has taken the place of this one")
        assert home != story.home(name)
    assert "nobody works more than 46 hours" in story.days.newest(story.address(DESKTOP), REQUEST).text


def _sign_the_newer_one(story: SignOff) -> None:
    phone = story.someone()
    phone.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for name in (DESKTOP, ON_A_PHONE, SCRIPTLESS, IN_WELSH, WRONG, RESERVED, STALE):
        signatory = story.signatory(name, phone)
        expect(signatory.sign().locator("main")).to_contain_text("The signature is valid")
    story.the_rest()
    _refuses(story)

    coordinator = story.coordinator(NOBODY_TO_ASK)
    page = story.case(NOBODY_TO_ASK, coordinator)
    expect(page.locator("main")).to_contain_text("Nobody to ask")
    page.get_by_role("link", name=NOBODY_TO_ASK).first.click()
    page.get_by_role("link", name=f"Edit {story.directors[NOBODY_TO_ASK]}").click()
    page.get_by_label("Role").select_option("signatory")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".alert-success")).to_be_visible()
    story.days.at("2026-03-23")
    expect(story.signatory(NOBODY_TO_ASK).sign().locator("main")).to_contain_text("The signature is valid")


def _close(story: SignOff) -> None:
    story.days.at("2026-03-24")
    story.days.at("2026-03-25")
    mina = story.at_desk("Mina")
    expect(mina.locator("#closing").locator("xpath=ancestor::section")).to_contain_text("1 member")
    expect(mina.get_by_role("link", name="Close at 100 %")).to_have_count(0)
    sol = story.at_desk("Sol")
    sol.get_by_role("link", name="Close with exceptions").click()
    expect(sol.locator("main")).to_contain_text(REFUSED)
    sol.get_by_label(f"What is done about {REFUSED}").fill("Looked at in monitoring")
    sol.get_by_label("Why the campaign is closed").fill("All others have signed")
    sol.get_by_role("button", name="Close with 1 exception").click()
    expect(sol.locator("main")).to_contain_text("Closed with exceptions")
    sol = story.at_desk("Sol")
    assert "100 %" not in sol.locator("main").inner_text()
    expect(sol.locator("main")).to_contain_text("44 of 45")


def test_it_closes_at_100_percent_when_everybody_has_signed_and_not_before(
    running: Desk, someone: Someone, cast: Cast
) -> None:
    signers(cast)
    with transaction(cast.env.engine) as conn:
        conn.execute(text("UPDATE contacts SET role = 'executive' WHERE member_id = 5"))
    signed = launched(cast, in_force(cast))
    for name in NAMES[:4]:
        assert signs(signed, name) == "valid"
    signed.at("2026-03-10")
    mina = someone("Mina").page
    mina.goto(f"/campaigns/{signed.ref}")
    assert figures(mina) == {"complete or exempt": "80 %", "signed": "80 %", "accounted for": "80 %"}
    expect(mina.get_by_role("link", name="Close at 100 %")).to_have_count(0)

    assert signs(signed, NAMES[4]) == "valid"
    signed.at("2026-03-11")
    signed.at("2026-03-12")
    mina.goto(f"/campaigns/{signed.ref}")
    assert figures(mina)["complete or exempt"] == "100 %"
    do(mina, "Close at 100 %")
    expect(mina.locator("main")).to_contain_text("Closed at 100 %")
