"""A mail server that takes everything and keeps nothing: Postfix's smtp-sink, or where it is missing one of our own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from threading import Thread
from typing import IO, Any

from config.clock import monotonic

MISSING = "smtp-source and smtp-sink are missing; install Debian's package postfix for the whole comparison."
_PATIENCE = 30.0


@dataclass
class Sink:
    """A sink that listens."""

    host: str
    port: int
    arrived: int = 0
    """How many messages it took; known when it has ended."""


def tool(name: str) -> str | None:
    """Return where a program of Postfix is, which need not be on the path of an ordinary user."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


@contextmanager
def sink() -> Iterator[Sink]:
    """Yield a sink on a free port of this machine; afterwards it says what has arrived."""
    program = tool("smtp-sink")
    with _postfix(program) if program else _own() as found:
        yield found


@contextmanager
def _postfix(program: str) -> Iterator[Sink]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        found = Sink("127.0.0.1", probe.getsockname()[1])
    who = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.TemporaryFile() as counted:
        running = subprocess.Popen(  # noqa: S603  as found on this machine
            [program, *who, "-c", f"{found.host}:{found.port}", "100"], stdout=counted
        )
        try:
            _wait_for(found)
            yield found
        finally:
            running.terminate()
            running.wait()
            found.arrived = _last_count(counted)


def _last_count(counted: IO[bytes]) -> int:
    counted.seek(0)
    words = counted.read().replace(b"\r", b"\n").split(b"mesg=")
    return int(words[-1].split()[0]) if len(words) > 1 else 0


def _wait_for(found: Sink) -> None:
    ends = monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((found.host, found.port), timeout=_PATIENCE).close()
            return
        except ConnectionRefusedError:
            if monotonic() > ends:
                raise


@contextmanager
def _own() -> Iterator[Sink]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        found = Sink("127.0.0.1", listening.getsockname()[1])
        context = multiprocessing.get_context("fork")
        taken = context.Value("q", 0)
        running = context.Process(target=_serve, args=(listening, taken), daemon=True)
        running.start()
        try:
            yield found
        finally:
            running.terminate()
            running.join()
            found.arrived = taken.value


def _serve(listening: socket.socket, taken: Synchronized[int]) -> None:
    while True:
        talking, _ = listening.accept()
        Thread(target=_converse, args=(talking, taken), daemon=True).start()


def _converse(talking: socket.socket, taken: Synchronized[int]) -> None:
    with talking, talking.makefile("rb") as heard:
        talking.sendall(b"220 sink\r\n")
        for line in heard:
            talking.sendall(_ANSWERS.get(line[:4].upper(), b"250 ok\r\n"))
            if line[:4].upper() == b"DATA":
                _swallow(heard)
                with taken.get_lock():
                    taken.value += 1
                talking.sendall(b"250 taken\r\n")


def _swallow(heard: Any) -> None:
    while heard.readline() not in {b".\r\n", b""}:
        pass


_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n",
}  # fmt: skip
