"""Copies of the reports of a campaign as files. Who may take which is asked where the figures are read."""

from __future__ import annotations

import logging
from datetime import datetime

from cases.campaigning.results import EVERYBODY, Narrowed, results
from cases.campaigning.risk_report import risk_report
from cases.environment import Environment
from cases.errors import BadInput
from reports.dossier import FORMATS, Copy, copy_of
from reports.results import results_report
from reports.risks import risk_dossier
from state_machines.values import Actor

log = logging.getLogger(__name__)


def results_copy(
    env: Environment, ref: str, kind: str, *, shared: bool = True, narrowed: Narrowed = EVERYBODY, actor: Actor,
    now: datetime | None = None,
) -> Copy:  # fmt: skip
    """Return the results of a campaign as ``pdf``, ``xlsx`` or ``csv``: what may be shared, or the internal ones.

    Raises CaseNotFound, BadInput, or NotAllowed: what may be shared is of all teams.
    """
    _known(kind)
    if shared and narrowed.chosen:
        raise BadInput("What may be shared is of everybody; take the internal copy of a part.")
    found = results(env, ref, shared=shared, narrowed=narrowed, handed_out=True, actor=actor, now=now)
    log.info("The results of %s were taken as %s.", found.ref, kind, extra={"actor": actor.person, "shared": shared})
    return copy_of(results_report(found, env.settings.zone, env.policy.organisation.name), kind)


def risk_copy(
    env: Environment, ref: str, kind: str, *, shared: bool = False, narrowed: Narrowed = EVERYBODY, actor: Actor,
    now: datetime | None = None,
) -> Copy:  # fmt: skip
    """Return the risks of a campaign as ``pdf``, ``xlsx`` or ``csv``; errors as of ``results_copy``."""
    _known(kind)
    found = risk_report(env, ref, shared=shared, narrowed=narrowed, actor=actor, now=now)
    log.info("The risks of %s were taken as %s.", found.ref, kind, extra={"actor": actor.person, "shared": shared})
    return copy_of(risk_dossier(found, env.settings.zone, env.policy.organisation.name), kind)


def _known(kind: str) -> None:
    if kind not in FORMATS:
        raise BadInput(f"There is no copy as {kind!r}; there are {', '.join(FORMATS)}.")
