"""Ten forms as workbooks, each asking more of whoever reads it; the last two ask too much."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl

Rows = Sequence[Sequence[Any]]
YES_NO = (("yn", "yes", "Yes"), ("yn", "no", "No"))
LIST = ("list_name", "name", "label")


def workbook(survey: Rows, choices: Rows = (), settings: Rows = ()) -> bytes:
    """Return a workbook with these sheets; the first row of each names its columns."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in {"survey": survey, "choices": choices, "settings": settings}.items():
        if rows:
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(list(row))
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def plain() -> bytes:
    """Three questions and a note, with no settings at all."""
    return workbook([
        ("type", "name", "label"),
        ("note", "", "Thank you for taking part."),
        ("text", "contact", "Whom may we call?"),
        ("integer", "Staff", "How many people work for you?"),
        ("decimal", "share", "What share of them was trained?"),
    ])  # fmt: skip


def choosing() -> bytes:
    """Lists of choices, hints, dates, and what is required."""
    return workbook(
        [
            ("type", "name", "label", "hint", "required", "appearance"),
            ("select_one size", "size", "How large are you?", "Count everybody.", "yes", "minimal"),
            ("select_multiple help", "help", "What would help?", "", "", ""),
            ("date", "year_end", "When did your year end?", "", "TRUE", ""),
            ("text", "story", "Tell us more", "", "no", "multiline"),
        ],
        [LIST, ("size", "s", "Small"), ("size", "l", "Large"), ("help", "call", "A call"), ("help", "no", "Nothing")],
        [("form_title", "form_id", "version"), ("A first look", "first_look", "3")],
    )


def asking_on() -> bytes:
    """Questions that depend on answers, and answers that must keep to something."""
    return workbook(
        [
            ("type", "name", "label", "relevant", "constraint", "constraint_message", "required"),
            ("select_one yn", "exports", "Do you export?", "", "", "", "yes"),
            ("integer", "countries", "To how many countries?", "${exports} = 'yes'", ". >= 1 and . <= 200", "", "yes"),
            ("integer", "share", "What share of sales?", "${countries} > 0", ". > 0 and . <= 100",
             "Enter a share from 1 to 100.", "${countries} >= 5"),
            ("text", "why", "Why not?", "not(selected(${exports}, 'yes')) and ${exports} != ''", "", "", ""),
            ("text", "code", "Which customs number?", "${countries} >= 3", "regex(., '[A-Z]{2}[0-9]{6}')",
             "Two letters and six digits.", ""),
            ("date", "since", "Since when?", "${exports} = 'yes'", ". <= today()", "Not a day to come.", ""),
        ],
        [LIST, *YES_NO],
        [("form_title", "form_id"), ("Trade", "trade")],
    )  # fmt: skip


def grouped() -> bytes:
    """Sections, a group in a group, and a group that is shown only now and then."""
    return workbook(
        [
            ("type", "name", "label", "relevant", "required"),
            ("text", "before", "Who answers?", "", ""),
            ("begin_group", "people", "Your people", "", ""),
            ("integer", "staff", "How many people?", "", "yes"),
            ("begin group", "women", "Of these, women", "${staff} > 0", ""),
            ("integer", "women_all", "How many women?", "", "yes"),
            ("integer", "women_lead", "How many lead?", "${women_all} > 0", ""),
            ("end group", "", "", "", ""),
            ("end_group", "", "", "", ""),
            ("begin_group", "sites", "Your sites", "${staff} > 10", ""),
            ("select_one yn", "audited", "Were they audited?", "", "yes"),
            ("end_group", "", "", "", ""),
        ],
        [LIST, *YES_NO],
        [("form_title", "form_id"), ("People and sites", "people-sites")],
    )


def spoken() -> bytes:
    """Two languages, one of them not whole."""
    return workbook(
        [
            ("type", "name", "label::English (en)", "label::French (fr)", "hint::English (en)", "hint::French (fr)",
             "constraint", "constraint_message::English (en)", "constraint_message::French (fr)", "required"),
            ("select_one yn", "code", "Do you follow the Code?", "Suivez-vous le code ?", "", "", "", "", "", "yes"),
            ("integer", "staff", "How many people?", "Combien de personnes ?", "All of them.", "Toutes.",
             ". > 0", "At least one.", "Au moins une.", "yes"),
            ("text", "more", "Anything else?", "", "", "", "", "", "", ""),
        ],
        [("list_name", "name", "label::English (en)", "label::French (fr)"),
         ("yn", "yes", "Yes", "Oui"), ("yn", "no", "No", "Non")],
        [("form_title", "form_id", "default_language"), ("Small survey", "small", "English (en)")],
    )  # fmt: skip


def reckoning() -> bytes:
    """Sums that are worked out, shown, and asked about."""
    return workbook([
        ("type", "name", "label", "calculation", "relevant", "constraint", "constraint_message", "readonly"),
        ("integer", "permanent", "Permanent staff", "", "", ". >= 0", "", ""),
        ("integer", "seasonal", "Seasonal staff", "", "", ". >= 0", "", ""),
        ("calculate", "total", "", "coalesce(${permanent}, 0) + coalesce(${seasonal}, 0)", "", "", "", ""),
        ("note", "shown", "In all: ${total}", "", "", "", "", ""),
        ("decimal", "share", "Seasonal, in per cent", "round(${seasonal} * 100 div ${total}, 1)", "", "", "", "yes"),
        ("calculate", "size", "", "if(${total} > 100, 'large', 'small')", "", "", "", ""),
        ("integer", "officers", "Safety officers", "", "${size} = 'large'", ". <= ${total}",
         "More officers than people?", ""),
    ])  # fmt: skip


def tabled() -> bytes:
    """A repeat that is a table, with its sum; a list of selects that is another."""
    return workbook(
        [
            ("type", "name", "label", "required", "constraint", "calculation", "appearance", "repeat_count"),
            ("begin_repeat", "suppliers", "Your largest suppliers", "", "", "", "", "5"),
            ("text", "name", "Name", "yes", "", "", "", ""),
            ("decimal", "tonnes", "Tonnes bought", "yes", ". >= 0", "", "", ""),
            ("select_one yn", "visited", "Visited?", "", "", "", "", ""),
            ("end_repeat", "", "", "", "", "", "", ""),
            ("calculate", "bought", "Bought in all", "", "", "sum(${tonnes})", "", ""),
            ("begin_group", "topics", "How far are you?", "", "", "", "table-list", ""),
            ("select_one far", "water", "Water", "yes", "", "", "", ""),
            ("select_one far", "waste", "Waste", "yes", "", "", "", ""),
            ("end_group", "", "", "", "", "", "", ""),
            ("text", "late", "What holds you up on water?", "${water} = 'no'", "", "", "", ""),
        ],
        [LIST, *YES_NO, ("far", "done", "Done"), ("far", "no", "Not begun")],
        [("form_title", "form_id"), ("Supply", "supply")],
    )


def manifold() -> bytes:
    """Ranges, files, pictures, ticks, "other", and functions inside functions."""
    return workbook(
        [
            ("type", "name", "label", "required", "parameters", "constraint", "constraint_message", "relevant"),
            ("start", "start", "", "", "", "", "", ""),
            ("range", "mood", "How do you feel, from 0 to 10?", "yes", "start=0 end=10 step=1", "", "", ""),
            ("range", "grade", "Your grade", "", "start=1 end=5 step=0.5", "", "", ""),
            ("select_one way or_other", "way", "How did you hear of us?", "yes", "", "", "", ""),
            ("select_multiple way", "ways", "And how else?", "", "", "count-selected(.) <= 2", "Two at most.", ""),
            ("file", "report", "Your report", "", "", "", "", "count-selected(${ways}) >= 1 and ${mood} mod 2 = 0"),
            ("image", "photo", "A picture of the site", "", "", "", "", ""),
            ("text", "motto", "Your motto", "", "", "string-length(.) <= 40", "Forty letters at most.",
             "if(${mood} > 5, 'y', 'n') = 'y'"),
            ("acknowledge", "read", "I have read the Code.", "yes", "", "", "", ""),
            ("text", "questions", "Your questions on it", "", "", "", "", "${read} = 'OK'"),
        ],
        [LIST, ("way", "web", "On the web"), ("way", "friend", "From a friend")],
        [("form_title", "form_id", "version"), ("Manifold", "manifold", "2026010101")],
    )  # fmt: skip


def dated() -> bytes:
    """Dates against today and each other, what a text must look like, and questions that others make required."""
    return workbook(
        [
            ("type", "name", "label", "required", "constraint", "constraint_message", "relevant"),
            ("date", "founded", "When were you founded?", "yes", ". <= today()", "Not in the future.", ""),
            ("select_one yn", "audited", "Were you audited?", "yes", "", "", ""),
            ("text", "number", "Number of the report", "${audited} = 'yes'", "regex(., '[A-Z]{2}[0-9]{4}')",
             "Two letters and four digits, such as AB1234.", ""),
            ("text", "why", "Why not?", "", "string-length(.) >= 3", "A few words, please.", "not(${audited} = 'yes')"),
        ],
        [LIST, *YES_NO],
        [("form_title", "form_id"), ("Dates and numbers", "dated")],
    )  # fmt: skip


def whole() -> bytes:
    """A whole questionnaire: sections in two languages, ticks, sums, and questions that hang on other sections."""
    return workbook(
        [
            ("type", "name", "label::English (en)", "label::German (de)", "required", "relevant", "constraint",
             "calculation"),
            ("begin_group", "people", "People", "Menschen", "", "", "", ""),
            ("integer", "women", "Women", "Frauen", "yes", "", ". >= 0", ""),
            ("integer", "men", "Men", "Männer", "yes", "", ". >= 0", ""),
            ("calculate", "everybody", "", "", "", "", "", "${women} + ${men}"),
            ("end_group", "", "", "", "", "", "", ""),
            ("begin_group", "care", "Care", "Fürsorge", "", "", "", ""),
            ("select_multiple topic", "topics", "What do you train?", "Was schulen Sie?", "yes", "", "", ""),
            ("text", "plan", "Your fire plan", "Ihr Brandschutzplan", "", "selected(${topics}, 'fire')", "", ""),
            ("decimal", "hours", "Hours a year", "Stunden im Jahr", "",
             "${everybody} > 50 or selected(${topics}, 'first')", ". > 0 and . <= 400", ""),
            ("end_group", "", "", "", "", "", "", ""),
        ],
        [("list_name", "name", "label::English (en)", "label::German (de)"), ("topic", "fire", "Fire", "Brandschutz"),
         ("topic", "first", "First aid", "Erste Hilfe")],
        [("form_title", "form_id", "default_language"), ("Care of people", "care", "English (en)")],
    )  # fmt: skip


def unsupported() -> bytes:
    """What telephones do, and functions that no page can work out."""
    return workbook(
        [
            ("type", "name", "label", "choice_filter", "calculation", "relevant"),
            ("geopoint", "place", "Where are you?", "", "", ""),
            ("audio", "voice", "Say it", "", "", ""),
            ("barcode", "code", "Scan it", "", "", ""),
            ("select_one town", "town", "Which town?", "region = ${place}", "", ""),
            ("calculate", "price", "", "", "pulldata('prices', 'price', 'name', 'x')", ""),
            ("calculate", "second", "", "", "indexed-repeat(${place}, ${voice}, 2)", ""),
            ("calculate", "first", "", "", "once(random())", ""),
            ("text", "path", "Path", "", "", "../town = 'a'"),
            ("text", "hello", "Hello ${town}, how are you?", "", "", ""),
            ("rank town", "rank", "Rank them", "", "", ""),
        ],
        [LIST, ("town", "a", "A"), ("town", "b b", "B")],
    )


def broken() -> bytes:
    """Groups that never end, names used twice, a list that is not there, a formula of the spreadsheet program's."""
    return workbook(
        [
            ("type", "name", "label", "relevant"),
            ("begin_group", "open", "Open", ""),
            ("text", "twice", "Once", ""),
            ("text", "twice", "Twice", "${later} = 1"),
            ("select_one nowhere", "pick", "Pick", ""),
            ("begin_repeat", "many", "Many", ""),
            ("text", "each", "Each", "${twice} = 'x'"),
            ("end_repeat", "", "", ""),
            ("integer", "later", "Later", ""),
            ("text", "", "Without a name", ""),
        ],
    )


TAKEN: Mapping[str, Callable[[], bytes]] = {
    each.__name__: each
    for each in (plain, choosing, asking_on, grouped, spoken, reckoning, tabled, manifold, dated, whole)
}
REFUSED: Mapping[str, Callable[[], bytes]] = {each.__name__: each for each in (unsupported, broken)}
