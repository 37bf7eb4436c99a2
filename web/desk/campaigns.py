"""Campaigns: all of them, a new one, one of them with how far it is, and its members."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel
from starlette.responses import Response

from cases import campaigns as commands
from cases.campaigning.counts import percent
from cases.campaigning.members import Narrowed, members_page
from cases.campaigning.overview import campaign_list
from cases.campaigning.page import campaign_page
from cases.campaigning.population import Population, in_force, questionnaires, values_of, who_is_asked
from cases.errors import BadInput, CaseNotFound, TransitionRefused
from members.store import CRITERIA
from members.visibility import lent_teams
from state_machines.processes.signature_forms import Document
from state_machines.processes.signature_forms import Plan as SignOffPlan
from state_machines.processes.survey_forms import Plan
from state_machines.registry import process_named
from state_machines.values import STAFF as STAFF_ROLES
from state_machines.values import Role
from web.access import STAFF, staff
from web.desk.campaign_drawing import drawing, until
from web.desk_page import Desk, DeskPage
from web.forms import Option, fields_of, leftover_errors
from web.posted import Form, Posted
from web.routing import Pages
from web.typed import payload_of

pages = Pages(may=STAFF)
PLANNERS = staff(*STAFF_ROLES.intersection(process_named("survey_campaign").opened_by))
PLANS: Mapping[str, type[BaseModel]] = {"survey": Plan, "signoff": SignOffPlan}
_BY_HAND = frozenset(
    {"population", "questionnaire", "questionnaire_version", "questionnaire_fingerprint", "ladder"}
) | frozenset(Document.model_fields)
"""Fields of the plan that have a control of their own, or none."""


@pages.get("/campaigns", statements=8)
def campaigns(desk: Desk, after: str = "") -> Response:
    """Every campaign the viewer may see, running ones first."""
    found = campaign_list(desk.env, after=after, actor=desk.actor, now=desk.now)
    following = f"/campaigns?{urlencode({'after': found.after})}" if found.after else None
    return desk.page(
        "desk/campaigns.html", title="Campaigns", found=found, following=following,
        first="/campaigns" if after else None, share=percent, until=until,
        may_plan=bool(PLANNERS.roles & desk.roles_today),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ planning


@pages.get("/campaigns/new", may=PLANNERS, statements=11)
def new(desk: Desk, kind: str = "survey", document: str = "") -> Response:
    """The form of a plan, with who would be asked as it stands."""
    criteria = {"status": ["active", "suspended"] if kind == "signoff" else ["active"]}
    return _plan_page(desk, _kind(kind), {"ladder": "standard", "document": document}, criteria)


@pages.post("/campaigns/new", may=PLANNERS)
def plan(desk: Desk, posted: Form) -> Response:
    """Plan a campaign, or only look at who would be asked: nothing is written then."""
    criteria = {name: chosen for name in CRITERIA if (chosen := [v for v in posted.all(f"population.{name}") if v])}
    kind = _kind(posted.text("kind"))
    payload = _typed(desk, kind, posted)
    if posted.text("step") != "plan":
        return _plan_page(desk, kind, payload, criteria, inside=posted.text("inside"), outside=posted.text("outside"))
    settings = {**payload, "kind": kind} | ({"population": criteria} if criteria else {})
    try:
        done = commands.plan_campaign(desk.env, settings, actor=desk.actor, now=desk.now)
    except (BadInput, TransitionRefused, CaseNotFound) as bad:
        asked = "document" if kind == "signoff" else "questionnaire"
        errors = dict(bad.errors) if isinstance(bad, TransitionRefused) else {asked: (str(bad),)}
        return _plan_page(desk, kind, payload, criteria, errors or {"form": (str(bad),)}, status=422)
    ref = done.after.ref
    return desk.see_other(f"/campaigns/{ref}", f"{done.after.subject} is planned. Somebody else approves the plan.")


def _kind(text: str) -> str:
    return text if text in PLANS else "survey"


def _typed(desk: DeskPage, kind: str, posted: Posted) -> dict[str, Any]:
    """Return what was typed, without who is asked."""
    model = PLANS[kind]
    texts = {name: values for name, values in posted.texts.items() if not name.startswith("population.")}
    found = payload_of(
        model, Posted({n: v for n, v in texts.items() if n in model.model_fields}), zone=desk.env.settings.zone
    )
    of_document = frozenset(Document.model_fields) - {"document"}
    return {name: value for name, value in found.items() if name != "population" and name not in of_document}


def _plan_page(
    desk: DeskPage, kind: str, typed: Mapping[str, Any], criteria: Mapping[str, list[str]],
    errors: Mapping[str, tuple[str, ...]] | None = None, *, inside: str = "", outside: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    lent = lent_teams(desk.actor, desk.staffing, desk.today)
    asked: Population = who_is_asked(
        desk.env,
        criteria,
        after_inside=inside,
        after_outside=outside,
        lent=lent,
        actor=desk.actor,
        roles=desk.env.policy.setting("signature", "signatory_roles") if kind == "signoff" else (),
    )
    errors, model = errors or {}, PLANS[kind]
    fields = [f for f in fields_of(model, typed, errors, zone=desk.env.settings.zone) if f.name not in _BY_HAND]
    named = desk.env.policy.setting(commands.KINDS[kind], "ladders")
    hidden = [text for name in ("population", "ladder", "form") for text in errors.get(name, ())]
    return desk.page(
        "desk/campaign_new.html", title="Plan a campaign", block="population", status=status, fields=fields, kind=kind,
        others=[*leftover_errors(model, errors), *(t for t in hidden if t not in leftover_errors(model, errors))],
        questionnaires=questionnaires(desk.env.settings) if kind == "survey" else [],
        documents=in_force(desk.env, actor=desk.actor, now=desk.now) if kind == "signoff" else [],
        ladders=[Option(name, name.capitalize()) for name in named], typed=typed, errors=errors,
        values=values_of(desk.env, lent=lent, actor=desk.actor), criteria=criteria, asked=asked,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------- one of them


@pages.get("/campaigns/{ref}", statements=17)
def campaign(desk: Desk, ref: str) -> Response:
    """One campaign: how far it is, who is at risk, what comes next, what closing it needs."""
    found = campaign_page(desk.env, ref, acting=desk.actor_for, actor=desk.actor, now=desk.now)
    return desk.page(
        "desk/campaign.html", title=found.title, page=found, drawing=drawing(found, desk.today), tab="overview",
        share=percent,
    )  # fmt: skip


@pages.get("/campaigns/{ref}/members", statements=15)
def members(
    desk: Desk, ref: str, state: str = "", team: str = "", tier: str = "", silent_since: str = "", bounced: str = "",
    at_risk: str = "", words: str = "", after: str = "", before: str = "",
) -> Response:  # fmt: skip
    """The members of a campaign, narrowed and page by page."""
    narrow = Narrowed(
        state, team, tier, day_of(silent_since), bounced == "yes", at_risk == "yes", " ".join(words.split())[:200]
    )
    found = members_page(desk.env, ref, narrow, after=after, before=before, actor=desk.actor, now=desk.now)
    base, query = f"/campaigns/{found.ref}/members", narrow.as_query()
    return desk.page(
        "desk/campaign_members.html", title=found.title, block="list", found=found, narrow=narrow, query=query,
        tab="members", first=_address(base, query), previous=_address(base, query, before=found.before),
        following=_address(base, query, after=found.after), may_nudge=Role.COORDINATOR in desk.roles_today,
    )  # fmt: skip


def _address(base: str, query: Mapping[str, str], **place: str | None) -> str | None:
    """Return the address of a page of the list; None where there is no such page."""
    if place and not any(place.values()):
        return None
    asked = {**query, **{name: value for name, value in place.items() if value}}
    return f"{base}?{urlencode(asked)}" if asked else base


def day_of(text: str) -> date | None:
    """Return a day typed into a field, or None when nothing was. Raises BadInput."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput("“Silent since” must be a date.") from None
