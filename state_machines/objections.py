"""What stands in the way of a transition: who asks, the case itself, what was typed. Each reason is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from state_machines.draft import Draft
from state_machines.process import Guard, Process, Transition
from state_machines.values import STAFF, Role

Objection = tuple[int, str, str, dict[str, tuple[str, ...]]]


def objection(transition: Transition, draft: Draft) -> Objection | None:
    return who_objection(transition, draft) or _what_objection(transition, draft)


def who_objection(transition: Transition, draft: Draft) -> Objection | None:
    """Role, hold, conflict of interest and the second pair of eyes."""
    actor, case = draft.actor, draft.case
    if (
        not actor.roles & transition.by
        if isinstance(transition.by, frozenset)
        else not actor.roles & set(transition.by)
    ):
        who = " or ".join(sorted(role.label for role in transition.by))
        return (0, "role", f"Only a {who} may do this ({transition.title.lower()}).", {})
    if case.on_hold and not (transition.on_hold_too or transition.resumes):
        return (1, "on_hold", "This case is on hold; resume it first.", {})
    if Role.SYSTEM in actor.roles:
        return None
    if case.member_id is not None and case.member_id in actor.conflicts and actor.roles & STAFF:
        return (2, "conflict_of_interest", "You have a recorded conflict of interest with this member.", {})
    for trigger in transition.four_eyes:
        people = case.people.get(trigger, ())
        if actor.person in people or (actor.on_behalf_of is not None and actor.on_behalf_of in people):
            return (
                3,
                "four_eyes",
                f"Someone other than the person who did “{title_of(draft.process, trigger)}” must do this.",
                {},
            )
    return None


def _what_objection(transition: Transition, draft: Draft) -> Objection | None:
    """Guards on the case, then the payload, then guards on the payload."""
    draft.payload = None  # another way of the same trigger may have read its own form, and was then refused
    for passed, guard in enumerate(transition.only_if):
        if not _ask(guard, draft):
            return (400 + passed, guard.__name__, draft.reason or sentence_of(guard), {})
    if transition.needs is not None and not (draft.raw is None and Role.SYSTEM in draft.actor.roles):
        errors = _read_payload(transition.needs, draft)
        if errors:
            text = "; ".join(f"{name}: {' '.join(found)}" for name, found in errors.items())
            return (500, "payload", f"Please complete the form: {text}.", errors)
    for passed, guard in enumerate(transition.checks):
        if not _ask(guard, draft):
            return (600 + passed, guard.__name__, draft.reason or sentence_of(guard), {})
    return None


def _ask(guard: Guard, draft: Draft) -> bool:
    draft.reason = ""
    answer = bool(guard(draft))
    draft.guards.append((guard.__name__, answer))
    return answer


def sentence_of(guard: Guard) -> str:
    """Return what a person reads when the guard says no: the first paragraph of its docstring."""
    text = (guard.__doc__ or guard.__name__.replace("_", " ")).strip().split("\n\n")[0]
    return " ".join(text.split())


def title_of(process: Process, trigger: str) -> str:
    """Return what people call a step."""
    found = next((t.title for t in process.transitions if t.trigger == trigger), None)
    return found or ("open the case" if trigger == "open" else trigger.replace("_", " "))


def help_of(process: Process, trigger: str) -> str:
    """Return what a step does, in a sentence; nothing where its title says it."""
    return next((t.help for t in process.transitions if t.trigger == trigger and t.help), "")


def _read_payload(model: type[BaseModel], draft: Draft) -> dict[str, tuple[str, ...]]:
    """Read what was typed into the draft; return errors by field, in words."""
    if isinstance(draft.raw, model):
        draft.payload = draft.raw
        return {}
    try:
        draft.payload = model.model_validate(dict(draft.raw or {}))
    except ValidationError as bad:
        return payload_errors(bad)
    return {}


def payload_errors(bad: ValidationError) -> dict[str, tuple[str, ...]]:
    """Return the errors of a payload by field, as sentences a person can act on."""
    found: dict[str, tuple[str, ...]] = {}
    for error in bad.errors(include_url=False):
        name = ".".join(str(part) for part in error["loc"]) or "form"
        found[name] = (*found.get(name, ()), _in_words(error["type"], error.get("ctx", {}), error["msg"]))
    return found


_WRONG = {
    "missing": "is required", "extra_forbidden": "is not known here",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "needs at least {min_length}", "too_long": "may have at most {max_length}",
    "greater_than_equal": "must be {ge} or more", "less_than_equal": "must be {le} or less",
    "greater_than": "must be more than {gt}", "less_than": "must be less than {lt}",
    "int_parsing": "is not a whole number", "int_from_float": "is not a whole number",
    "int_parsing_size": "is too large a number",
    "float_parsing": "is not a number", "decimal_parsing": "is not a number",
    "decimal_max_places": "may have at most {decimal_places} decimal places",
    "date_parsing": "is not a date", "date_from_datetime_parsing": "is not a date",
    "datetime_parsing": "is not a date and time", "datetime_from_date_parsing": "is not a date and time",
    "enum": "is none of the choices", "literal_error": "is none of the choices",
}  # fmt: skip
"""What is wrong with a value, by the type pydantic gives it."""


def _in_words(kind: str, limits: Mapping[str, Any], otherwise: str) -> str:
    if kind == "string_too_short":
        least = limits["min_length"]
        return "is required" if least == 1 else f"needs at least {least} characters"
    return _WRONG[kind].format(**limits) if kind in _WRONG else otherwise.removeprefix("Value error, ")


def guard_objection(transition: Transition, draft: Draft) -> Objection | None:
    failed = next((guard for guard in transition.only_if if not _ask(guard, draft)), None)
    return (4, failed.__name__, draft.reason or sentence_of(failed), {}) if failed else None
