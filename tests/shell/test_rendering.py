"""From a kind and what is known to a message that is good to read and safe to send."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import catalogue, rendering, wording
from notifications.context import MailContext
from notifications.kind import MessageKind, Purpose
from notifications.rendering import RenderingFailed, environment_for, render
from notifications.samples import render_samples, sample_context
from notifications.transport import Mail, build, envelope_address, message_id_for

LONDON = ZoneInfo("Europe/London")
REMINDER = MessageKind("reminder", Purpose.SERVICE, "Reminder")


@pytest.fixture
def own_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kind ``reminder`` whose templates lie in the folder returned."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setattr(catalogue, "entries", lambda: {"reminder": catalogue.Entry(REMINDER, "own")})
    environment = environment_for("Europe/London", [str(catalogue.TEMPLATES), str(tmp_path)])
    monkeypatch.setattr(rendering, "_environment", lambda zone_name: environment)
    write(folder, subject="Hello", text="Hello", html="Hello")
    return folder


def write(folder: Path, *, language: str = "", **parts: str) -> None:
    """Write templates of ``reminder``: subject, text, html."""
    stem = f"reminder.{language}" if language else "reminder"
    for name, content in parts.items():
        suffix = {"subject": ".subject.txt", "text": ".txt", "html": ".html"}[name]
        folder.joinpath(stem + suffix).write_text(content)


def context(**changes: Any) -> MailContext:
    """What a template sees, with made-up people."""
    return replace(sample_context(REMINDER), **changes)


class Tags(HTMLParser):
    """Collects open tags, and complains about those that do not match."""

    VOID = frozenset({"meta", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


GENERAL = [kind.kind for kind in catalogue.kinds() if catalogue.entry(kind.kind).folder == "general"]


def test_every_general_message_has_its_templates_and_no_template_is_left_over() -> None:
    assert [name for name in catalogue.missing_templates() if name.startswith("general/")] == []
    assert [name for name in catalogue.stray_templates() if name.startswith("general/")] == []


@pytest.mark.parametrize("kind", GENERAL)
def test_every_general_message_renders_with_its_sample(kind: str) -> None:
    rendered, failed = render_samples([kind])

    assert failed == {}
    assert "\n\n\n" not in rendered[kind].text
    assert rendered[kind].subject.strip() == rendered[kind].subject != ""


@pytest.mark.parametrize("kind", GENERAL)
def test_every_general_message_is_well_formed_and_follows_nobody(kind: str) -> None:
    tags = Tags()
    tags.feed(render_samples([kind])[0][kind].html)

    assert tags.open == []
    names = [tag for tag, _ in tags.seen]
    assert not {"img", "script", "iframe", "form", "link"} & set(names)
    assert ("html", {"lang": "en"}) in tags.seen


@pytest.mark.parametrize("kind", GENERAL)
def test_every_general_message_says_the_same_as_text_and_as_a_page(kind: str) -> None:
    rendered = render_samples([kind])[0][kind]

    links = re.findall(r"https://\S+", rendered.text)
    assert links
    assert all(link in rendered.html for link in links)
    assert "why you" in rendered.html.lower() or "you receive this because" in rendered.html.lower()


def test_a_general_message_about_a_case_without_member_and_clock_renders() -> None:
    for kind in (kind for kind in GENERAL if kind != "manager_digest"):
        render(kind, replace(sample_context(catalogue.kind(kind)), member=None, clock=None, deadline=None))


def test_markup_in_names_and_answers_is_escaped_on_the_page_and_left_alone_in_the_text(own_templates: Path) -> None:
    write(own_templates, text="{{ payload.words }}", html="<p>{{ payload.words }}</p>")

    rendered = render("reminder", context(payload={"words": '<script>alert("hi")</script> & so'}))

    assert rendered.html == "<p>&lt;script&gt;alert(&#34;hi&#34;)&lt;/script&gt; &amp; so</p>\n"
    assert rendered.text == '<script>alert("hi")</script> & so\n'


def test_a_subject_is_one_line_whatever_people_write(own_templates: Path) -> None:
    write(own_templates, subject="About {{ payload.words }}\n")

    subject = render("reminder", context(payload={"words": "x\r\nBcc: all@example.org\n\tand\u2028more\x00"})).subject

    assert subject == "About x Bcc: all@example.org and more\ufffd"


def test_a_long_subject_is_cut_at_a_word(own_templates: Path) -> None:
    write(own_templates, subject="{{ payload.words }}")

    subject = render("reminder", context(payload={"words": "several words " * 40})).subject

    assert len(subject) <= 150
    assert subject.endswith("several…")


def test_what_is_missing_does_not_pass_as_empty(own_templates: Path) -> None:
    write(own_templates, text="Dear {{ payload.nobody }},")

    with pytest.raises(RenderingFailed, match=r"own/reminder\.txt.*nobody"):
        render("reminder", context())


def test_a_date_that_is_missing_does_not_pass_as_empty(own_templates: Path) -> None:
    write(own_templates, text="By {{ deadline|day }}")

    with pytest.raises(RenderingFailed, match="not a date"):
        render("reminder", context(deadline=None))


def test_a_message_comes_in_the_language_of_its_reader_where_it_is_translated(own_templates: Path) -> None:
    write(own_templates, language="cy", subject="Helo", text="Helo", html="Helo")

    assert render("reminder", context(), "cy").text == "Helo\n"
    assert render("reminder", context(), "cy-GB").language == "cy"
    assert render("reminder", context(), "de").text == "Hello\n"
    assert render("reminder", context(), "../../etc").language == "en"


def test_half_a_translation_is_not_mixed_with_the_other_language(own_templates: Path) -> None:
    write(own_templates, language="cy", text="Helo")

    assert render("reminder", context(), "cy").text == "Hello\n"


def test_the_layouts_greet_sign_and_say_why(own_templates: Path) -> None:
    write(own_templates, text='{% extends "layout.txt" %}{% block body %}Body{% endblock %}')

    text = render("reminder", context(unsubscribe="https://muster.example/unsubscribe/x")).text

    assert text.startswith("Dear Chandra Rao,\n\nBody\n\nYours sincerely,\nThe membership team\n")
    assert "To hear no more offers: https://muster.example/unsubscribe/x" in text


def test_dates_are_written_in_local_time() -> None:
    late = datetime(2026, 4, 13, 23, 30, tzinfo=UTC)

    assert wording.day(late, LONDON) == "Tuesday 14 April 2026"
    assert wording.moment(late, LONDON) == "14 April 2026, 00:30"
    assert wording.day(date(2026, 4, 13), LONDON) == "Monday 13 April 2026"
    assert wording.moment("2026-04-13T16:00:00+00:00", LONDON) == "13 April 2026, 17:00"
    assert wording.day("2026-04-13", LONDON) == "Monday 13 April 2026"


@pytest.mark.parametrize(
    ("amount", "written"), [(Decimal("1234.5"), "£1,234.50"), (0, "£0.00"), ("-3", "-£3.00"), (1e6, "£1,000,000.00")]
)
def test_money_is_written_with_its_pence(amount: object, written: str) -> None:
    assert wording.money(amount) == written  # type: ignore[arg-type]


def test_what_is_no_amount_is_refused() -> None:
    with pytest.raises(wording.NotWritable):
        wording.money("a lot")


@given(st.text(max_size=400), st.integers(1, 200))
def test_a_line_never_becomes_two(text: str, longest: int) -> None:
    line = wording.one_line(text, longest)

    assert len(line) <= longest
    assert len(line.splitlines()) <= 1


def test_two_modules_cannot_define_the_same_kind() -> None:
    with pytest.raises(catalogue.DuplicateKind, match=r"kinds/a\.py and kinds/b\.py"):
        catalogue.collected([("a", [REMINDER]), ("b", [REMINDER])])


# --- the message as it goes over the wire ----------------------------------------------------------------------------


def mail(**changes: Any) -> Mail:
    """A message with boring values."""
    given_: dict[str, Any] = {
        "message_id": "<abc@example.org>", "to_email": "chandra@example.org", "to_name": "Chandra Rao",
        "subject": "Hello", "text": "Hello\n", "html": "<p>Hello</p>", "date": datetime(2026, 4, 13, 8, 0, tzinfo=UTC),
        **changes,
    }  # fmt: skip
    return Mail(**given_)


def parsed(one: Mail) -> EmailMessage:
    """What a reader's program makes of it."""
    raw = build(one, sender=("Membership team", "membership@example.org"))
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_names_and_subjects_with_diacritics_arrive_as_they_were_written() -> None:
    one = mail(
        to_email="membership@weta-fx-limited.example", to_name="Wētā FX, Limited", subject="Tēnā koe — Łódź",
        text="Kia ora Wētā\n", html="<p>Kia ora Wētā</p>",
    )  # fmt: skip

    found = parsed(one)

    assert found["To"].addresses[0].display_name == "Wētā FX, Limited"
    assert found["To"].addresses[0].addr_spec == "membership@weta-fx-limited.example"
    assert found["Subject"] == "Tēnā koe — Łódź"
    bodies = [found.get_body((kind,)) for kind in ("plain", "html")]
    assert [body.get_content().strip() for body in bodies if body] == ["Kia ora Wētā", "<p>Kia ora Wētā</p>"]


def test_everything_on_the_wire_is_ascii_with_lines_that_every_server_takes() -> None:
    raw = build(mail(to_name="Wētā " * 30, text="ā" * 5_000), sender=("Ōtautahi", "membership@example.org"))

    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) < 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_automatic_mail_says_that_it_is_and_carries_its_case() -> None:
    found = parsed(mail(case_ref="MC-2026-0001"))

    assert found["Auto-Submitted"] == "auto-generated"
    assert found["X-Muster-Case"] == "MC-2026-0001"
    assert found["Message-ID"] == "<abc@example.org>"
    assert found["Date"].datetime == datetime(2026, 4, 13, 8, 0, tzinfo=UTC)


def test_only_marketing_can_be_stopped_with_one_click() -> None:
    found = parsed(mail(unsubscribe="https://muster.example/unsubscribe/x"))

    assert found["List-Unsubscribe"] == "<https://muster.example/unsubscribe/x>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed(mail())["List-Unsubscribe"] is None


def test_neither_subject_nor_name_can_add_a_header() -> None:
    evil = "Hello\r\nBcc: everybody@example.org\r\n\r\nbody"

    found = parsed(mail(subject=evil, to_name=evil, case_ref=evil))

    assert found["Bcc"] is None
    assert len(found["To"].addresses) == 1


def test_an_international_domain_is_written_in_ascii_and_a_local_part_in_its_own_letters() -> None:
    assert envelope_address("info@wētā.example") == ("info@xn--wt-ela4e.example", False)
    assert envelope_address("wētā@wētā.example") == ("wētā@xn--wt-ela4e.example", True)

    raw = build(mail(to_email="wētā@example.org", to_name="Wētā"), sender=("M", "m@example.org"))
    assert "<wētā@example.org>".encode() in raw.split(b"\r\n", 1)[0]


def test_the_message_id_follows_from_the_key_and_tells_nothing() -> None:
    one = message_id_for("case:1:2:0:member", "example.org")

    assert one == message_id_for("case:1:2:0:member", "example.org")
    assert one != message_id_for("case:1:2:1:member", "example.org")
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", one)
