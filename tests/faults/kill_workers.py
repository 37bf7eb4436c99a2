"""Workers of a test that are killed with SIGKILL: forked from a process that has everything imported.

A kill comes after a number of seconds, at the n-th time a named point is reached, or at the n-th step of any kind. For
the last two the worker says where it is and stands still, and its parent kills it there.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.clock import monotonic

STEP = "any step"
"""Every statement, commit and line of SMTP counts as one."""
_LONGEST = 120.0
"""Seconds after which a worker is taken to hang, which fails the test."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Kill:
    """When a worker is killed."""

    point: str = ""
    nth: int = 1
    seconds: float | None = None

    def __str__(self) -> str:
        return f"after {self.seconds:.3f} s" if self.seconds is not None else f"{self.point} ({self.nth})"


@dataclass(frozen=True)
class End:
    """How a worker ended."""

    killed: bool
    seconds: float
    point: str = ""
    """Where it stood when it was killed; empty when that was by the clock."""
    reached: Mapping[str, int] = field(default_factory=dict)
    """How often it came by each point; only of one that was not killed."""
    result: Any = None


class WorkerFailed(AssertionError):
    """A worker ended with an exception, or did not end."""


class Watch:
    """In the worker: counts the points it comes by, and stands still at the one where it is to be killed."""

    def __init__(self, pipe: int, kill: Kill | None) -> None:
        self._pipe, self._kill = pipe, kill
        self.counts: Counter[str] = Counter()

    def reached(self, point: str, *, step: bool = True) -> None:
        """Say that the worker is here; a named point is a step as well, unless told otherwise."""
        for name in (point, STEP) if step and point != STEP else (point,):
            self.counts[name] += 1
            if self._kill is not None and (name, self.counts[name]) == (self._kill.point, self._kill.nth):
                self.say({"at": point})
                while True:
                    signal.pause()

    def say(self, what: Mapping[str, Any]) -> None:
        """Tell the parent."""
        os.write(self._pipe, json.dumps(what).encode() + b"\n")


class Worker:
    """A forked process that does one thing, and the pipe on which it says how far it is."""

    def __init__(self, work: Callable[[Watch], Any], kill: Kill | None) -> None:
        self._pipe, theirs = os.pipe()
        self._kill, self._began, self._heard = kill, monotonic(), b""
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._pipe)
            _live(work, Watch(theirs, kill))
        os.close(theirs)

    def fileno(self) -> int:
        """What ``select`` waits for: there is something to hear."""
        return self._pipe

    def kill_is_in(self) -> float:
        """Seconds until it is killed by the clock, or taken to hang."""
        planned = self._kill.seconds if self._kill is not None and self._kill.seconds is not None else _LONGEST
        return max(0.0, self._began + planned - monotonic())

    def ended(self) -> End:
        """Wait until it has ended or was killed as planned. Raises WorkerFailed."""
        while (end := self.step()) is None:
            pass
        return end

    def step(self, *others: Any) -> End | None:
        """Wait for the next thing: None when one of ``others`` (sockets) can be read first."""
        ready, _, _ = select.select([self, *others], [], [], self.kill_is_in())
        if not ready:
            return self._by_the_clock()
        if self not in ready:
            return None
        self._heard += os.read(self._pipe, 65536)
        if self._heard.endswith(b"\n"):
            told = json.loads(self._heard)
            if "at" in told:
                return self._killed(told["at"])
            self._reap()
            if "failed" in told:
                raise WorkerFailed(told["failed"])
            return End(False, monotonic() - self._began, reached=told["reached"], result=told["result"])
        if not self._heard:
            self._reap()
            raise WorkerFailed("A worker ended without a word.")
        return None

    def _by_the_clock(self) -> End:
        end = self._killed("")
        if self._kill is None or self._kill.seconds is None:
            raise WorkerFailed("A worker did not end.")
        return end

    def _killed(self, point: str) -> End:
        os.kill(self.pid, signal.SIGKILL)
        self._reap()
        return End(True, monotonic() - self._began, point)

    def kill(self) -> None:
        """End it, wherever it is; for one that serves until then."""
        self._killed("")

    def _reap(self) -> None:
        os.waitpid(self.pid, 0)
        os.close(self._pipe)


def run(work: Callable[[Watch], Any], kill: Kill | None = None) -> End:
    """Let a worker do something and return how it ended. Raises WorkerFailed."""
    return Worker(work, kill).ended()


def _live(work: Callable[[Watch], Any], watch: Watch) -> None:
    """Be the worker: nothing of the parent's runs at the end."""
    try:
        die_with_parent()
        result = work(watch)
        watch.say({"result": result, "reached": watch.counts})
    except BaseException:
        watch.say({"failed": traceback.format_exc()[-20_000:]})
    finally:
        os._exit(0)


def die_with_parent() -> None:
    """Ask the system to kill this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
