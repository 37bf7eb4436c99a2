"""Forms of other programs made questionnaires of ours, and those that are refused with everything that is wrong."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
import yaml
from typer.testing import CliRunner

from cases.shelf.reading import NotUsable, read_file
from cases.xlsform.importing import Imported, import_form
from cases.xlsform.problems import FormRefused
from cases.xlsform.workbook import LARGEST, LARGEST_UNPACKED
from cli.main import app
from surveys.answers import Invalid, validate
from surveys.questionnaire import Questionnaire
from tests import xlsforms
from tests.xlsforms import LIST, workbook


def taken(content: bytes, name: str = "form.xlsx") -> Imported:
    return import_form(content, name)


def refused(content: bytes, name: str = "form.xlsx") -> list[str]:
    with pytest.raises(FormRefused) as bad:
        import_form(content, name)
    return list(bad.value.problems)


def errors(questionnaire: Questionnaire, **answers: object) -> dict[str, list[str]]:
    raw = {"respondent": {"name": "Amara Osei"}, "declaration": True, "answers": answers}
    found = validate(questionnaire, raw, submitting=True)
    return dict(found.errors) if isinstance(found, Invalid) else {}


@pytest.mark.parametrize("form", sorted(xlsforms.TAKEN))
def test_what_is_written_is_our_own_format_and_says_the_same_when_it_is_read_again(form: str) -> None:
    found = taken(xlsforms.TAKEN[form](), f"{form}.xlsx")

    again = read_file(found.text.encode(), f"{form}.yaml")
    assert again.questionnaire == found.questionnaire
    assert again.questionnaire.fingerprint() == found.questionnaire.fingerprint()
    assert found.text.startswith(f"# Imported from {form}.xlsx.\n")
    assert "&id" not in found.text, "nothing is written by reference"
    assert taken(xlsforms.TAKEN[form](), f"{form}.xlsx").text == found.text


def test_settings_name_the_questionnaire_and_the_file_does_where_there_are_none() -> None:
    assert taken(xlsforms.plain(), "My Form (2).xlsx").questionnaire.name == "my-form-2"
    found = taken(xlsforms.choosing()).questionnaire
    assert (found.name, found.version, found.title) == ("first-look", 3, "A first look")


def test_conditions_and_constraints_go_on_doing_what_they_did() -> None:
    found = taken(xlsforms.asking_on()).questionnaire

    assert set(errors(found)) == {"exports"}
    assert set(errors(found, exports="yes")) == {"countries"}
    assert errors(found, exports="yes", countries=500) == {"countries": ["Enter 200 or less."]}
    assert errors(found, exports="yes", countries=5) == {"share": ["Answer this question; it is required."]}
    assert errors(found, exports="yes", countries=2, share=0)["share"] == ["Enter a share from 1 to 100."]
    assert errors(found, exports="yes", countries=4, code="ab1")["code"] == ["Two letters and six digits."]
    assert errors(found, exports="no", why="Too far.", countries=2) == {}


def test_groups_become_sections_and_a_group_in_a_group_a_heading() -> None:
    found = taken(xlsforms.grouped()).questionnaire

    assert [section.title for section in found.sections] == ["People and sites", "Your people", "Your sites"]
    assert [each.id for each in found.sections[1].questions] == ["staff", "women_heading", "women_all", "women_lead"]
    assert found.by_id["women_lead"].show_if.formula == "(${staff} > 0) and (${women_all} > 0)"


def test_languages_stand_side_by_side_and_what_is_missing_is_known() -> None:
    found = taken(xlsforms.spoken()).questionnaire

    assert found.languages == ("en", "fr")
    spoken = found.in_language("fr")
    assert spoken.by_id["code"].text == "Suivez-vous le code ?"
    assert spoken.by_id["staff"].constraint[0].message == "Au moins une."
    assert "sections/questions/questions/more/text" in found.untranslated()["fr"]


@pytest.mark.parametrize(
    ("columns", "languages"),
    [
        (("label::français",), ("fr",)),
        (("label::Deutsch", "label::English"), ("de", "en")),
        (("label", "label::es"), ("en", "es")),
        (("label::Portuguese (pt-BR)",), ("pt-BR",)),
    ],
)
def test_languages_are_known_by_code_by_their_name_or_by_ours(columns: tuple[str, ...], languages: tuple) -> None:
    found = taken(workbook([("type", "name", *columns), ("text", "a", *["A"] * len(columns))])).questionnaire
    assert found.languages == languages


def test_sums_are_worked_out_and_a_note_that_ends_in_one_shows_it() -> None:
    found = taken(xlsforms.reckoning()).questionnaire
    answers = {"permanent": 100, "seasonal": 25}

    judged = validate(found, {"answers": answers}, submitting=False)

    assert {n: v for n, v in judged.answers.items() if n not in answers} == {
        "total": 125, "shown": 125, "share": 20, "size": "large",
    }  # fmt: skip
    assert found.by_id["shown"].text == "In all"
    assert errors(found, **answers, officers=200) == {"officers": ["More officers than people?"]}


def test_repeats_and_lists_of_selects_become_tables() -> None:
    found = taken(xlsforms.tabled()).questionnaire
    rows = [{"name": "A", "tonnes": 1.5}, {"name": "B", "tonnes": 2}]
    answers = {"suppliers": rows, "topics": {"water": {"answer": "no"}, "waste": {"answer": "done"}}}

    judged = validate(found, {"answers": answers}, submitting=False)

    assert judged.answers["bought"] == 3.5
    assert errors(found, **answers) == {"late": ["Answer this question; it is required."]}
    assert (
        "Row 1, Tonnes bought: Enter 0 or more." in errors(found, suppliers=[{"name": "A", "tonnes": -1}])["suppliers"]
    )
    assert "Give at most 5 rows; there are 6." in errors(found, suppliers=rows * 3)["suppliers"]


def test_ranges_ticks_other_and_functions_in_functions_are_taken() -> None:
    found = taken(xlsforms.manifold())
    answers = {"mood": 6, "way": "other", "way_other": "On the bus", "ways": ["web"], "read": True}

    assert errors(found.questionnaire, **answers) == {}
    assert errors(found.questionnaire, **answers, grade=2.2)["grade"] == ["Enter a number in steps of 0.5 from 1."]
    assert errors(found.questionnaire, **{**answers, "read": False})["read"] == ["Please confirm this to go on."]
    assert errors(found.questionnaire, **answers, motto="x" * 41)["motto"] == ["Forty letters at most."]
    assert set(errors(found.questionnaire, mood=1, way="other", read=True)) == {"way_other"}
    assert found.questionnaire.version == 1, "a version that is a date and more is no number of ours"
    assert "Sheet survey, row 2: start is noted by telephones only." in found.ignored


def test_everything_that_is_not_supported_is_named_with_its_row_at_once() -> None:
    assert refused(xlsforms.unsupported()) == [
        "Sheet survey, row 2: questions of the type 'geopoint' are not supported.",
        "Sheet survey, row 3: questions of the type 'audio' are not supported.",
        "Sheet survey, row 4: questions of the type 'barcode' are not supported.",
        "Sheet survey, row 5: choice_filter is not supported.",
        "Sheet survey, row 6: calculation: the function pulldata() is not supported.",
        "Sheet survey, row 7: calculation: the function indexed-repeat() is not supported.",
        "Sheet survey, row 8: calculation: the function once() is not supported.",
        "Sheet survey, row 9: relevant: paths such as ../x are not supported; name the question as ${x}.",
        "Sheet survey, row 10: the label shows an answer (${…}), which is not supported.",
        "Sheet survey, row 11: questions of the type 'rank town' are not supported.",
        "Sheet choices, row 3: the choice name 'b b' is not letters, digits, dots, dashes and underscores.",
    ]


def test_a_form_that_is_broken_says_where() -> None:
    told = refused(xlsforms.broken())

    assert "Sheet survey, row 2: the group 'open' never ends." in told
    assert "Sheet survey, row 4: the name 'twice' is used in row 3 already." in told
    assert "Sheet survey, row 5: there is no list of choices called 'nowhere'." in told
    assert "Sheet survey, row 10: there is no name." in told


def test_rows_are_counted_as_the_spreadsheet_program_counts_them() -> None:
    form = workbook([("type", "name", "label"), ("text", "a", "A"), (), (), ("geopoint", "b", "B")])

    assert refused(form) == ["Sheet survey, row 5: questions of the type 'geopoint' are not supported."]


def test_what_comes_too_late_and_what_differs_from_day_to_day_is_refused() -> None:
    form = workbook([
        ("type", "name", "label", "relevant"), ("text", "a", "A", "${b} = 1"), ("integer", "b", "B", ""),
        ("text", "c", "C", "today() > '2026-01-01'"),
    ])  # fmt: skip

    assert refused(form) == [
        "Sheet survey, row 2: show_if: 'b' must come earlier than this question.",
        "Sheet survey, row 4: show_if: today() stands only in a constraint, or the questions would change from day to "
        "day.",
    ]


def test_a_cell_that_the_spreadsheet_program_works_out_is_refused() -> None:
    form = workbook([("type", "name", "label"), ("text", "a", '=HYPERLINK("http://x.example", "A")')])

    assert refused(form) == ["Sheet survey, row 2: cell C2 holds a spreadsheet formula; paste its value instead."]


def test_what_is_no_form_is_refused_with_a_sentence() -> None:
    assert refused(b"id,name\n1,2\n") == ["The file is no Excel workbook; save the form as .xlsx."]
    assert refused(b"PK\x03\x04" + b"x" * 100)[0].startswith("The file cannot be read as a workbook")
    assert refused(b"\xd0\xcf\x11\xe0" + b"x" * 1000)[0].startswith("The file cannot be read as a workbook")
    assert refused(b"PK\x03\x04" + b"x" * LARGEST) == ["The file is larger than 5 MB; no form is."]
    assert refused(workbook([("a", "b"), (1, 2)]))[0].startswith("Invalid headers")
    assert refused(workbook([("type", "name", "label")])) == [
        "The workbook has no sheet called survey with questions in it."
    ]


def changed(content: bytes, part: str, text: bytes) -> bytes:
    """Return a workbook with one of its parts replaced."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, text if each == part else old.read(each))
    return kept.getvalue()


def test_bombs_are_not_unpacked() -> None:
    sheet, plain = "xl/worksheets/sheet1.xml", xlsforms.plain()

    assert refused(changed(plain, sheet, b" " * (LARGEST_UNPACKED + 1))) == [
        "The file unpacks to far more than a form can be."
    ]
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    told = ["The file declares XML entities, which no workbook needs; it is not read."]
    assert refused(changed(plain, sheet, laughs)) == told
    assert refused(changed(plain, sheet, laughs.decode().encode("utf-16"))) == told
    many = [("type", "name", "label"), *[("text", f"q{n}", "Q") for n in range(2500)]]
    assert refused(workbook(many)) == ["Sheet survey: more than 2,000 rows or 200 columns are not read."]
    book = openpyxl.load_workbook(io.BytesIO(plain))
    book["survey"].cell(1_048_576, 16_384, "far away")
    kept = io.BytesIO()
    book.save(kept)
    assert len(taken(kept.getvalue()).questionnaire.questions) == 3, "what lies far away is not looked for"


def test_markup_is_left_out_and_said_so() -> None:
    found = taken(workbook([("type", "name", "label"), ("text", "a", "Your <b>whole</b> **name** & 3 < 4")]))

    assert found.questionnaire.by_id["a"].text == "Your whole name & 3 < 4"
    assert "Bold, colours and other markup in texts are left out." in found.ignored


def test_names_become_ids_and_formulas_follow_them() -> None:
    found = taken(workbook(
        [("type", "name", "label", "relevant"), ("select_one yn", "Q1.A", "A", ""),
         ("text", "language", "L", "${Q1.A} = 'yes'"), ("text", "q1_a", "B", "")],
        [LIST, *xlsforms.YES_NO],
    )).questionnaire  # fmt: skip

    assert list(found.by_id) == ["q1_a", "language_2", "q1_a_2"]
    assert found.by_id["language_2"].show_if.formula == "${q1_a} = 'yes'"


def test_the_command_imports_checks_and_overwrites_nothing(tmp_path: Path) -> None:
    form, out = tmp_path / "small.xlsx", tmp_path / "small.yaml"
    form.write_bytes(xlsforms.spoken())
    run = CliRunner().invoke

    done = run(app, ["questionnaires", "import", str(form), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(out.read_text("utf-8"))["name"] == "small"
    assert run(app, ["questionnaires", "import", str(form), "--out", str(out)]).exit_code == 1
    checked = run(app, ["questionnaires", "check", str(out)])
    assert checked.exit_code == 0 and "Français" in checked.output and "3 questions" in checked.output
    form.write_bytes(xlsforms.unsupported())
    no = run(app, ["questionnaires", "check", str(form)])
    assert no.exit_code == 1 and "row 2: questions of the type 'geopoint'" in no.output
    shown = run(app, ["questionnaires", "show", "pulse"])
    assert shown.exit_code == 0 and "How many people work for your organisation? (required)" in shown.output
    assert run(app, ["questionnaires", "show", "pulse", "--language", "fr"]).exit_code == 1


def test_a_file_of_another_kind_is_no_questionnaire() -> None:
    with pytest.raises(NotUsable):
        read_file(b"%PDF-1.7", "form.pdf")
