"""The process that runs the flows: `python -m workflows.runner`, started by `muster up` beside the Prefect server."""

import asyncio
import logging
import sys

from prefect import serve

from cases.inbox.reading import is_configured
from config.logging import Redaction, configure_logging
from config.settings import load_settings
from workflows.reconcile import reconcile
from workflows.schedule import deployments

AT_ONCE = 4

log = logging.getLogger("workflows.runner")


def main() -> None:
    """Clear away what was left behind, then run what is scheduled, until told to stop."""
    settings = load_settings()
    configure_logging(settings.log_level, as_json=settings.log_format == "json", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every look at the schedule
    for handler in logging.getLogger("prefect").handlers:
        handler.addFilter(Redaction())
    found = asyncio.run(reconcile())
    log.info("%d orphaned runs ended, %d missed runs dropped", found.orphaned, found.missed)
    # Schedules are not paused on the way out: what is missed meanwhile is dropped by `reconcile`.
    made = deployments(settings.zone, inbox=is_configured(settings))
    serve(*made, pause_on_shutdown=False, limit=AT_ONCE, print_starting_message=False)


if __name__ == "__main__":
    main()
