"""Whether the desk serves, whether it can work, and numbers for a monitoring system. Nothing here is about anybody."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

import migrations
from cases import health, installation
from cases.environment import Environment
from cases.gauges import Gauges, gauges
from config.database import reading
from web.access import Rule, token
from web.routing import Pages


class Probe(Rule):
    """Lets in whoever asks whether we live, without asking the database who that is."""

    async def __call__(self, request: Request) -> None:
        """Let everybody in."""


pages = Pages(may=Probe("everybody"))


@pages.get("/healthz", statements=0)
def healthz() -> Response:
    """Whether the desk answers; the database is not asked."""
    return PlainTextResponse("The desk answers.\n")


@pages.get("/readyz", statements=4)
def readyz(request: Request) -> Response:
    """Whether the desk can work: its database is there, set up, and of this version; 503 with the reason if not."""
    missing = _missing(request.app.state.env)
    if missing is None:
        return PlainTextResponse("The desk is ready.\n")
    return PlainTextResponse(f"{missing}\n", status_code=503, headers={"retry-after": "10"})


def _missing(env: Environment) -> str | None:
    """Why the desk cannot work, in plain words without addresses; None when it can."""
    try:
        with reading(env.engine) as conn:
            found = health.migration(conn)
            if found is None:
                return "The database is empty; run: muster init"
            if found != migrations.head():
                return f"The database is at version {found}, this desk needs {migrations.head()}; run: muster init"
            if installation.kind(conn) is None:
                return "The database is not set up yet; run: muster init"
    except SQLAlchemyError:
        return "The database does not answer."
    return None


@pages.get("/metrics", may=token("metrics"), statements=8)
def metrics(request: Request) -> Response:
    """Return the numbers of the installation in the text format of Prometheus."""
    found, registry = gauges(request.app.state.env), CollectorRegistry()
    for name, told, value in _single(found):
        Gauge(name, told, registry=registry).set(value)
    by_process = Gauge("muster_cases_open", "Open cases, by kind of case.", ["process"], registry=registry)
    for process, number in found.open.items():
        by_process.labels(process).set(number)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _single(found: Gauges) -> Iterator[tuple[str, str, float]]:
    yield "muster_cases_due", "Cases with a rung that is due and has not fired.", found.due
    yield "muster_cases_overdue", "Open cases past a deadline.", found.overdue
    yield "muster_cases_oldest_due_seconds", "For how long the case due longest has waited.", found.oldest_due_seconds
    yield "muster_cases_held", "Cases held back until a manager decides; they do not count as due.", found.held
    yield "muster_cases_held_seconds", "For how long the oldest decision about such cases waits.", found.held_seconds
    yield "muster_cases_parked", "Cases set aside because deciding them failed.", found.parked
    yield "muster_outbox_queued", "Messages that wait to be sent.", found.queued
    yield (
        "muster_outbox_oldest_seconds",
        "For how long the oldest of them could have left.",
        found.oldest_queued_seconds,
    )
    yield "muster_messages_failed", "Messages that were given up.", found.failed
    yield "muster_inbox_waiting", "Mails that came in and wait for a person.", found.inbox_waiting
    if found.inbox_read_seconds_ago is not None:
        yield "muster_inbox_age_seconds", "Since the inbox was last read to its end.", found.inbox_read_seconds_ago
    if found.swept_seconds_ago is not None:
        yield "muster_sweep_age_seconds", "Since the newest sweep began, by the real clock.", found.swept_seconds_ago
    if found.last_sweep_milliseconds is not None:
        yield "muster_sweep_last_seconds", "How long the newest sweep took.", found.last_sweep_milliseconds / 1000
