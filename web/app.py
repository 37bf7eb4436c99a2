"""The application: middleware, static files, and every room's pages."""

from __future__ import annotations

from importlib import import_module

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from cases.environment import Environment
from web import errors
from web.api.app import ApiMount
from web.assets import FOLDER, Kept
from web.headers import Headers
from web.limits import Limits
from web.looks import Looks
from web.routing import require_rules, roles_by_path
from web.storable import Storable

ROOMS: tuple[str, ...] = (
    "web.accounts.sign_in",
    "web.accounts.oidc_pages",
    "web.accounts.forgotten",
    "web.accounts.account",
    "web.accounts.calendar_feeds",
    "web.desk.admin",
    "web.desk.admin_staff",
    "web.desk.admin_leaving",
    "web.desk.admin_teams",
    "web.desk.admin_absences",
    "web.desk.admin_tokens",
    "web.desk.admin_mail",
    "web.desk.looked_at",
    "web.desk.inbox",
    "web.desk.queue",
    "web.desk.opening",
    "web.desk.case_next",
    "web.desk.case_why",
    "web.desk.case_paper",
    "web.desk.case",
    "web.desk.case_actions",
    "web.desk.case_deeds",
    "web.desk.case_tasks",
    "web.desk.case_files",
    "web.desk.searching",
    "web.desk.views",
    "web.desk.bulk",
    "web.desk.member_import",
    "web.desk.member_proposals",
    "web.desk.member_changes",
    "web.desk.member_contacts",
    "web.desk.members",
    "web.desk.processes",
    "web.desk.home",
    "web.desk.held_back",
    "web.desk.approvals",
    "web.desk.team",
    "web.desk.automation_calendar",
    "web.desk.reports",
    "web.desk.report_overview",
    "web.desk.sandbox",
    "web.health",
    "web.visitors.own_page",
    "web.visitors.survey",
    "web.visitors.signing",
    "web.visitors.survey_help",
    "web.visitors.reaching",
    "web.visitors.complaint",
    "web.visitors.leaving",
    "web.visitors.links",
    "web.desk.documents",
    "web.desk.questionnaires",
    "web.desk.questionnaire_preview",
    "web.desk.campaigns",
    "web.desk.campaign_denominator",
    "web.desk.campaign_rehearsal",
    "web.desk.campaign_reminding",
    "web.desk.campaign_review",
    "web.desk.campaign_answer",
    "web.desk.campaign_exceptions",
    "web.desk.campaign_results",
    "web.desk.campaign_files",
    "web.api.pages",
)
"""Modules with routes named ``pages``. Static paths (/cases/new) stand before those with a variable."""


def create_app(env: Environment) -> FastAPI:
    """Return the desk of an installation. Raises NoRule when a route does not say who may enter."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, title="Muster", redirect_slashes=False)
    app.state.env = env
    errors.add_handlers(app)
    for room in ROOMS:
        import_module(room).pages.add_to(app)
    app.router.routes.append(ApiMount(env))
    require_rules(app)
    app.state.roles = roles_by_path(app)
    app.mount("/static", Kept(directory=FOLDER), name="static")
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Limits, refusal=errors.too_large)
    app.add_middleware(Headers, https=env.settings.base_url.startswith("https://"))
    app.add_middleware(Looks, env=env)
    app.add_middleware(Storable)
    return app
