"""A mail server in a process of its own, as strict as a real one: what was handed over to the last dot it has accepted,
whether or not the sender is still there to hear of it. It writes down every message before it says yes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from config.clock import monotonic
from tests.faults.kill_workers import die_with_parent

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
_PATIENCE = 30.0
OPENED, CLOSED, ACCEPTED = "opened", "closed", "accepted"


class _Conversation(asyncio.Protocol):
    """One conversation of SMTP (RFC 5321), as far as a client of ours goes."""

    def __init__(self, note: Callable[[str], None], dead: frozenset[str]) -> None:
        self._note, self._dead = note, dead
        self._heard, self._to, self._content = b"", "", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._note(OPENED)
        self._say("220 ready")

    def connection_lost(self, error: Exception | None) -> None:
        """Note that this conversation is over."""
        self._note(CLOSED)

    def data_received(self, data: bytes) -> None:
        """Take what was said, line by line or message by message."""
        self._heard += data
        while True:
            part, end, rest = self._heard.partition(b"\r\n.\r\n" if self._content else b"\r\n")
            if not end:
                return
            self._heard = rest
            if self._content:
                self._accept(part)
            else:
                self._line(part.decode("utf-8"))

    def _accept(self, content: bytes) -> None:
        self._content = False
        found = _MESSAGE_ID.search(content)
        assert found is not None
        self._note(f"{ACCEPTED} {found.group(1).decode()} {self._to}")
        self._say("250 taken")

    def _line(self, line: str) -> None:
        verb = line.upper()
        if verb.startswith("EHLO"):
            self._say("250-here\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 8BITMIME")
        elif verb.startswith("RCPT TO:"):
            named = line[8:].strip().partition(">")[0].lstrip("<").lower()
            self._to = "" if named in self._dead else named
            self._say("250 ok" if self._to else "550 5.1.1 there is no such mailbox")
        elif verb == "DATA":
            self._content = bool(self._to)
            self._say("354 go on" if self._content else "554 nobody to send it to")
        elif verb == "QUIT":
            self._say("221 bye")
            self._transport.close()
        else:
            self._say("250 ok")

    def _say(self, words: str) -> None:
        self._transport.write(f"{words}\r\n".encode())


@dataclass(frozen=True)
class Accepted:
    """A message that the server has said yes to."""

    message_id: str
    to: str


class Post:
    """The server as its tests see it."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"smtp://127.0.0.1:{port}"
        self._log, self._read, self._talking = log, 0, 0
        self._accepted: list[Accepted] = []

    def accepted(self) -> list[Accepted]:
        """Return all that was accepted, in order, once nobody is talking to the server any more."""
        ends = monotonic() + _PATIENCE
        while True:
            self._read_on()
            if self._talking == 0:
                return self._accepted
            assert monotonic() < ends, "somebody is still talking to the mail server"
            sleep(0.001)  # its process has yet to notice that the other one is gone

    def _read_on(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        for what, *words in (line.split(" ") for line in whole.decode().split("\n") if line):
            self._talking += {OPENED: 1, CLOSED: -1, ACCEPTED: 0}[what]
            if what == ACCEPTED:
                self._accepted.append(Accepted(*words))


@contextmanager
def post(folder: Path, dead: frozenset[str] = frozenset()) -> Iterator[Post]:
    """Yield a mail server on a free port; mail to ``dead`` addresses is refused for good."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        log = folder / "accepted.log"
        log.touch()
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent()
                asyncio.run(_serve(listening, log, dead))
            finally:
                os._exit(0)
        try:
            yield Post(listening.getsockname()[1], log)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


async def _serve(listening: socket.socket, log: Path, dead: frozenset[str]) -> None:
    with log.open("ab", buffering=0) as kept:

        def note(what: str) -> None:
            kept.write(f"{what}\n".encode())

        server = await asyncio.get_running_loop().create_server(lambda: _Conversation(note, dead), sock=listening)
        await server.serve_forever()
