"""The processes that `muster up` starts, watches, starts again and stops."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.clock import monotonic
from workflows.lifeline import tied_to_this_process

LONGEST_LOG = 5_000_000
OLD_LOGS = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
SETTLED = 120.0
"""Seconds after which a child that dies is taken to have worked, and is started again without a long pause."""


def _always() -> bool:
    return True


@dataclass
class Child:
    """One process: how to start it, when it may start, where its words go."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    may_start: Callable[[], bool] = _always
    stop_seconds: float = 20.0
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _started: float = 0.0
    _not_before: float = 0.0
    _pause: float = field(default=FIRST_PAUSE)

    @property
    def running(self) -> bool:
        """Whether it was started and has not been seen to end."""
        return self.process is not None

    def start_when_ready(self) -> bool:
        """Start it when it is not running, its pause is over and it may; return whether it was started now."""
        if self.running or monotonic() < self._not_before or not self.may_start():
            return False
        self.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                list(self.command),
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,  # on a terminal, `prefect server start` asks questions
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tied_to_this_process(),
            )
        self.starts += 1
        self._started = monotonic()
        return True

    def ended(self) -> int | None:
        """Return the exit status when it has ended since the last look, and prepare its next start."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self._end_the_rest()
        settled = monotonic() - self._started > SETTLED
        self._pause = FIRST_PAUSE if settled else self._pause
        self._not_before = monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return status

    def keep_log_short(self) -> None:
        """Rotate its log when it has grown too long."""
        rotate(self.log)

    def stop(self) -> None:
        """Ask it to end, and end it when it does not; what it started goes with it."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._end_the_rest()

    def _end_the_rest(self) -> None:
        """Kill what is left of its process group: a flow run does not go on without its runner."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None


def rotate(log: Path, longest: int = LONGEST_LOG) -> None:
    """Move what a log that has grown too long holds to `NAME.1`, and so on; a process may go on writing to it."""
    if not log.exists() or log.stat().st_size <= longest:
        return
    for number in range(OLD_LOGS, 1, -1):
        with suppress(FileNotFoundError):
            log.with_name(f"{log.name}.{number - 1}").replace(log.with_name(f"{log.name}.{number}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
