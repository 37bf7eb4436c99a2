"""Questionnaires on the desk: brought as a file, kept as versions, tried out as a member would, in languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cases.own.links import token_of
from notifications import links
from surveys.answers import Invalid, validate
from surveys.questionnaire import Questionnaire
from surveys.sample import sample_answers
from tests import xlsforms
from tests.asked import asked_survey, response
from tests.cast import Cast
from tests.pages.conftest import SignedIn
from tests.pages.inspector import Client, Page

SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BILINGUAL = """# Written by hand.
name: bilingual
version: 1
title: {en: Short survey, fr: Petite enquête}
intent: {en: Two questions., fr: Deux questions.}
languages: [en, fr]
sections:
  - id: one
    title: {en: One, fr: Un}
    questions:
      - {id: hello, type: note, text: {en: Welcome., fr: Bienvenue.}}
      - id: staff
        type: number
        text: {en: 'How many people?', fr: 'Combien de personnes ?'}
        required: true
        constraint: {formula: ". > 0", message: {en: At least one., fr: Au moins une.}}
      - {id: double, type: calculate, text: {en: Twice, fr: Le double}, formula: "${staff} * 2"}
      - id: papers
        type: file
        text: Papers
        max_files: 2
        accept: [application/pdf, text/plain]
"""


def bring(client: Client, name: str, content: bytes) -> Page:
    form = client.get("/questionnaires/new").form("#bring")
    return form.submit(files={"file": (name, content, SHEETS)})


def kept(cast: Cast, name: str) -> Questionnaire:
    path = cast.env.settings.home / "questionnaires" / f"{name}.yaml"
    return Questionnaire.parse(yaml.safe_load(path.read_text("utf-8")))


def as_typed(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers as the controls of a page send them."""
    typed: dict[str, Any] = {}
    for name, value in answers.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = {str(number): row for number, row in enumerate(value)}
        if isinstance(value, dict):
            for key, inner in value.items():
                cells = inner if isinstance(inner, dict) else {"": inner}
                typed |= {f"a.{name}.{key}{f'.{cell}' if cell else ''}": each for cell, each in cells.items()}
        else:
            typed[f"a.{name}"] = "yes" if value is True else value
    return typed


def test_every_form_that_is_taken_is_kept_rendered_and_judged_alike_by_page_and_server(
    desk: SignedIn, cast: Cast
) -> None:
    mina = desk("Mina")
    for form, make in xlsforms.TAKEN.items():
        page = bring(mina, f"{form}.xlsx", make())
        assert page.status == 200 and "Kept as version" in page.main, form
        address = str(page.one('main a[href$="/preview"]')["href"])
        questionnaire = kept(cast, address.split("/")[2])

        empty = mina.get(address).form("form[data-autosave]").submit()
        judged = validate(questionnaire, {"answers": {}}, submitting=True)
        assert isinstance(judged, Invalid)
        required = {name for name in judged.errors if name in questionnaire.by_id}
        assert {link["href"] for link in empty.all("[data-summary] a")} == {f"#q-{name}" for name in required}, form
        must = {each.id for each in questionnaire.questions if each.required and each.type != "table"}
        shown = {str(each["name"]).split(".")[1] for each in empty.all("[required]")}
        assert shown <= must, form

        sample = next(
            raw
            for seed in range(40)
            if not isinstance(validate(questionnaire, raw := sample_answers(questionnaire, seed=seed),
                                       submitting=True, today=cast.env_now.date()), Invalid)
        )  # fmt: skip
        answers = {n: v for n, v in sample["answers"].items() if questionnaire.by_id[n].type != "file"}
        names = [("q", name) for name in questionnaire.by_id]
        values = [
            (name, str(each))
            for name, value in as_typed(answers).items()
            for each in (value if isinstance(value, list) else [value])
        ]
        csrf = str(empty.one('main [name="csrf"]')["value"])
        judged_page = mina.post(address, [("csrf", csrf), *names, *values])
        assert judged_page.status == 200, (form, judged_page.words("[data-summary]"))
        assert "could be submitted" in judged_page.one("[data-summary]").text, form


def test_a_form_that_is_not_taken_says_why_row_by_row_and_keeps_nothing(desk: SignedIn, cast: Cast) -> None:
    page = bring(desk("Mina"), "trip.xlsx", xlsforms.unsupported())

    assert page.status == 422
    assert "Sheet survey, row 2: questions of the type 'geopoint' are not supported." in page.words(".alert-danger li")
    assert "Nothing was kept" in page.main
    assert not (cast.env.settings.home / "questionnaires").exists()


def test_a_new_version_never_takes_the_place_of_one_that_a_campaign_uses(
    desk: SignedIn, cast: Cast, tmp_path: Path
) -> None:
    mina = desk("Mina")
    bring(mina, "short.yaml", BILINGUAL.encode())
    asked_survey(cast, tmp_path, "bilingual")

    again = bring(mina, "short.yaml", BILINGUAL.encode())
    changed = bring(mina, "short.yaml", BILINGUAL.replace("Two questions.", "Both of them.").encode())

    assert "says the same already" in again.main
    assert "Kept as version 2" in changed.main and "the file says 1" in changed.main
    page = desk("Amara").get("/questionnaires/bilingual")
    assert [row.split()[0] for row in page.words("tbody th")] == ["2", "1"]
    assert "Member pulse 2026" in page.all("tbody tr")[1].text and "No campaign" in page.all("tbody tr")[0].text
    first = mina.http.get("/questionnaires/bilingual/file?version=1")
    assert b"Two questions." in first.content and b"# Written by hand." in first.content
    assert "attachment" in first.headers["content-disposition"]
    assert "Short survey" in desk("Amara").get("/questionnaires").main
    assert "Bring a questionnaire" not in desk("Amara").get("/questionnaires").main


def test_what_is_no_version_or_no_questionnaire_is_not_found(desk: SignedIn) -> None:
    mina = desk("Mina")

    for path in (
        "nothing",
        "pulse/file?version=77",
        "pulse/preview?version=x",
        "..%2f..%2fetc",
        "pulse/file?version=-1",
    ):
        assert mina.http.get(f"/questionnaires/{path}").status_code == 404, path
    assert desk("Amara").http.get("/questionnaires/new").status_code == 403


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name: x\nversion: [", "It is not valid YAML (line 2: "),
        (b"a: &a [1]\nb: [*a, *a]", "refers to parts of itself"),
        (b"\xff\xfe\x00", "neither a workbook"),
        (b"[" * 5000, "nested too deeply"),
        (b"name: Not a name", "Version: field required."),
    ],
    ids=["broken", "aliases", "bytes", "deep", "incomplete"],
)
def test_a_file_that_is_no_questionnaire_is_refused_with_what_is_wrong(content: bytes, told: str) -> None:
    from cases.shelf.reading import NotUsable, read_file

    with pytest.raises(NotUsable) as refused:
        read_file(content, "some.yaml")

    assert told in str(refused.value)


def test_a_preview_shows_at_once_what_depends_on_answers_and_keeps_nothing(desk: SignedIn, cast: Cast) -> None:
    amara = desk("Amara")
    page = amara.get("/questionnaires/pulse/preview")
    assert page.all('[data-question="contact_changes"]') == []
    form = page.form("form[data-autosave]")
    values = [*[pair for pair in form.values if pair[0] != "a.contact_current"], ("a.contact_current", "no")]

    piece = amara.post("/questionnaires/pulse/preview", values, hx_request="true", x_autosave="1")

    assert piece.all("h1") == [] and piece.one('[data-question="contact_changes"]')
    assert piece.one("[data-summary]").text.strip() == "", "nobody asked what is missing yet"
    assert cast.scalar("SELECT count(*) FROM response_drafts") == 0


def test_a_member_reads_and_answers_in_their_language_and_gets_the_copy_in_it(
    visitor: Client, desk: SignedIn, cast: Cast, tmp_path: Path
) -> None:
    bring(desk("Mina"), "short.yaml", BILINGUAL.encode())
    asked_survey(cast, tmp_path, "bilingual")
    home = f"/m/{token_of(cast.env, links.MEMBER, response(cast))}"
    assert "How many people?" in visitor.get(f"{home}/s/one").main

    page = visitor.get(f"{home}/s/one?language=fr")
    assert "Combien de personnes ?" in page.main and "Bienvenue." in page.main
    assert page.one('#q-staff label span[lang="fr"]')
    assert "not translated yet" in page.main, "Papers is in English alone"
    form = page.form("form[data-autosave]")
    papers = [("f.papers", (f"{n}.txt", n.encode(), "text/plain")) for n in ("one", "two", "three")]
    page = form.send({"a.staff": "0"}, button="Save", files=papers)
    assert page.status == 422 and "At most 2 files" in page.one("#q-papers-error").text

    page = visitor.get(f"{home}/s/one")
    assert "Combien de personnes ?" in page.main, "the draft remembers the language"
    assert len(page.all("#q-papers [data-files] a")) == 2
    values = page.form("form[data-autosave]").values
    piece = visitor.post(f"{home}/s/one", values, hx_request="true", x_autosave="1")
    assert "Au moins une." in piece.one("#q-staff-error").text
    page = page.form("form[data-autosave]").send({"a.staff": "21"}, button="Save and continue")
    assert "Le double" in page.main and "42" in page.main
    page.form().send({"respondent.name": "Zoë", "respondent.role": "Chef", "respondent.email": "z@x.example",
                      "declaration": "yes"})  # fmt: skip

    copy = visitor.http.get(f"{home}/answers.txt").text
    assert "Combien de personnes ?\n  21" in copy and "Le double\n  42" in copy
    stored = cast.scalar("SELECT answers FROM response_answers ORDER BY revision DESC LIMIT 1")
    assert stored["language"] == "fr" and stored["answers"]["double"] == 42
    assert visitor.get(f"{home}/answers").status == 200
