"""A connection that was kept is looked at before it is used again: the server may have gone in the meantime."""

from __future__ import annotations

import select
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

IDLE = 30.0
"""Seconds after which a kept connection is asked whether it is there. Until then its end is enough: whoever closes a
connection says so, and a server that says nothing, as one without power does, says nothing to a question either."""
_USED = "used"


def verify(engine: Engine) -> None:
    """Let an engine look at each connection before it is used again, and make new ones where it was lost.

    A question is a way to the server and back, several times a click; most are spared, since the end of a connection
    can be read from it.
    """
    from config.clock import monotonic  # at call time: the clock needs the database

    dialect: Any = engine.dialect

    @event.listens_for(engine, "checkin")
    def kept(driver: Any, record: Any) -> None:
        record.info[_USED] = monotonic()

    @event.listens_for(engine, "checkout")
    def used_again(driver: Any, record: Any, fairy: Any) -> None:
        since = record.info.get(_USED)
        if since is None or (monotonic() - since < IDLE and not _has_something_to_say(driver)):
            return  # fresh, or used a moment ago
        if not dialect._do_ping_w_event(driver):
            raise InvalidatePoolError


def _has_something_to_say(driver: Any) -> bool:
    """Whether there is something to read on a connection that asked nothing: mostly that it has ended."""
    if driver.closed:
        return True
    look = select.poll()
    look.register(driver.fileno(), select.POLLIN)
    return bool(look.poll(0))
