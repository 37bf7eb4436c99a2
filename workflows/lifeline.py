"""A process that must not outlive the one that started it."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PARENT = "WORKER_OF_MUSTER"
"""The variable with the number of the process that a flow run belongs to."""


def tied_to_this_process() -> Callable[[], None] | None:
    """Return what a new child must call first, so that the system kills it when this process ends, however it ends.

    None where the system cannot do that. Start the child from the main thread: the tie is to the thread.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we were tied to it
            os._exit(1)

    return tie


def expect_ties() -> None:
    """Let the processes started from now on know whose they are, for ``tie_to_parent``."""
    os.environ[PARENT] = str(os.getpid())


def tie_to_parent() -> None:
    """Ask the system to kill this process when its parent ends; end it at once where that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.environ.get(PARENT, str(os.getppid())) != str(os.getppid()):
            os._exit(1)
