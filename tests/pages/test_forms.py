"""A payload model becomes the fields of a form, and a form its payload, for every form of every process."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from state_machines.processes.complaint_forms import Response
from state_machines.registry import processes
from web.forms import Field, Option, choice_title, fields_of, leftover_errors
from web.posted import FormUnreadable, Posted
from web.typed import payload_of

LONDON = ZoneInfo("Europe/London")
PEOPLE = [Option("staff:1", "Amara"), Option("staff:2", "Mina")]


def every_form() -> list[type[BaseModel]]:
    """Every payload model that people fill in."""
    seen: dict[str, type[BaseModel]] = {}
    for process in processes().values():
        for model in (process.opening, *(t.needs for t in process.transitions)):
            if model is not None:
                seen[f"{model.__module__}.{model.__qualname__}"] = model
    return list(seen.values())


def as_sent(fields: list[Field]) -> dict[str, list[str]]:
    """What a browser sends when nothing was touched."""
    found: dict[str, list[str]] = {}
    for field in fields:
        for row in field.rows:
            found |= as_sent(list(row))
        if field.kind == "several":
            found |= {field.name: list(field.value)} if field.value else {}
        elif field.kind == "select":
            shown = field.value or (field.options[0].value if field.options and not field.required else "")
            found[field.name] = [shown]
        elif field.kind in ("checkbox", "yes"):
            found |= {field.name: ["true"]} if field.value is True else {}
        elif field.kind != "rows":
            found[field.name] = [field.value]
    return found


@pytest.mark.parametrize("model", every_form(), ids=lambda model: f"{model.__module__.split('.')[-1]}.{model.__name__}")
def test_a_form_that_nobody_touched_asks_only_for_what_is_required(model: type[BaseModel]) -> None:
    fields = fields_of(model, people=PEOPLE, zone=LONDON)
    assert [field.name for field in fields] == list(model.model_fields)
    payload = payload_of(model, Posted(as_sent(fields)), zone=LONDON)
    try:
        model.model_validate(payload)
    except ValidationError as bad:
        missing = {error["loc"][0] for error in bad.errors() if error["type"] == "missing"}
        assert missing <= {field.name for field in fields if field.required}
        assert {e["type"] for e in bad.errors()} <= {"missing", "value_error", "too_short"}, bad


def test_rows_keep_their_order_and_lose_the_blank_ones() -> None:
    posted = Posted({
        "findings.2.decision": ["upheld"], "findings.2.reasons": ["Because it is so."], "findings.10.decision": [""],
        "findings.10.reasons": [""], "findings.1.decision": ["not_upheld"], "findings.1.reasons": ["It is not."],
    })  # fmt: skip
    payload = payload_of(Response, posted, zone=LONDON)
    assert [row["reasons"] for row in payload["findings"]] == ["It is not.", "Because it is so."]


def test_errors_stand_at_their_field_also_inside_rows() -> None:
    typed = {"findings": [{"decision": "upheld", "reasons": ""}]}
    errors = {"findings.0.reasons": ("is required",), "form": ("Something about the whole.",)}
    fields = {f.name: f for f in fields_of(Response, typed, errors, zone=LONDON)}
    row = {f.name: f for f in fields["findings"].rows[0]}
    assert row["findings.0.reasons"].errors == ("is required",)
    assert leftover_errors(Response, errors) == ["Something about the whole."]


def test_a_time_typed_by_the_clock_on_the_wall_is_an_instant_of_the_organisation() -> None:
    from state_machines.processes.cancellation_forms import CancellationRequest

    payload = payload_of(CancellationRequest, Posted({"stated_at": ["2026-07-01T10:00"]}), zone=LONDON)
    assert payload["stated_at"] == "2026-07-01T10:00:00+01:00"
    [field] = [f for f in fields_of(CancellationRequest, payload, zone=LONDON) if f.name == "stated_at"]
    assert field.value == "2026-07-01T10:00"


@pytest.mark.parametrize(("value", "title"), [("OUT_OF_SCOPE", "Out of scope"), ("FCA_DISP", "FCA DISP"), ("A", "A"),
                                              ("in_person", "In person")])  # fmt: skip
def test_choices_are_written_as_people_say_them(value: str, title: str) -> None:
    assert choice_title(value) == title


@pytest.mark.parametrize("name", ["a..b", "a.b.c.d.e.f.g", "a b", "x" * 100, "a.[0]"])
def test_names_that_fit_nowhere_are_refused(name: str) -> None:
    with pytest.raises(FormUnreadable):
        Posted({name: ["x"]}).nested()


def test_names_that_contradict_each_other_are_refused() -> None:
    for order in (["a", "a.b"], ["a.b", "a"]):
        with pytest.raises(FormUnreadable):
            Posted({name: ["x"] for name in order}).nested()
