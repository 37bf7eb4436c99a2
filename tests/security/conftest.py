"""The application in process, as the tests of pages know it."""

from tests.pages.conftest import app, desk, visitor

__all__ = ["app", "desk", "visitor"]
