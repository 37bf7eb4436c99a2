"""The application in process, and browsers that look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from fastapi import FastAPI

from cases.environment import Environment
from config import clock, roles
from config.database import make_engine, reading, transaction
from members import staff_store
from tests.cast import Cast
from tests.pages.inspector import Client
from web import sessions
from web.app import create_app
from web.desk_page import session_cookie

SignedIn = Callable[..., Client]


@pytest.fixture
def app(cast: Cast) -> Iterator[FastAPI]:
    """The desk of the cast's organisation, under the role that it has in earnest."""
    with as_role(cast.env, roles.WEB) as env:
        yield create_app(env)


@contextmanager
def as_role(env: Environment, role: roles.DatabaseRole) -> Iterator[Environment]:
    """Yield the same installation with the database entered as one of its roles."""
    engine = make_engine(env.engine.url.set(username=role.name))
    with reading(engine) as conn:
        staff_store.staffing(conn)  # known from the beginning, as it is where a desk has run for a minute
    yield replace(env, engine=engine)
    engine.dispose()


def sign_in(app: FastAPI, cast: Cast, name: str) -> Client:
    """Return the browser of somebody of the cast, signed in."""
    with reading(app.state.env.engine) as conn:
        person = staff_store.staffing(conn).by_email(f"{name.lower()}@muster.example")
    assert person is not None
    with transaction(cast.env.engine) as conn:
        key = sessions.start(conn, person.id, address="127.0.0.1", agent="tests", now=clock.utc_now())
    return Client(app, app.state.env.engine, {session_cookie(cast.env.settings): key})


@pytest.fixture
def desk(app: FastAPI, cast: Cast) -> SignedIn:
    """Sign somebody of the cast in: ``desk("Amara")``."""
    return lambda name: sign_in(app, cast, name)


@pytest.fixture
def visitor(app: FastAPI, cast: Cast) -> Client:
    """Somebody from the street."""
    return Client(app, app.state.env.engine)
