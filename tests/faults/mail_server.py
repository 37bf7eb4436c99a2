"""A mail server that does as its script says, also what no sound mail server does: real sockets on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from time import sleep

DROP, STALL, TRICKLE, FLOOD, GARBAGE = "drop", "stall", "trickle", "flood", "garbage"
"""What may stand in place of an answer: the line is cut; nothing is said; a line that never ends, a byte at a time;
lines without end; an answer that is none."""
_LONGEST_TRICKLE, _LARGEST_FLOOD = 30.0, 1 << 26

Answer = Callable[[str, int], str]
"""What is said about an address, and the so manieth time, counted from 1."""


def always(text: str) -> Answer:
    """Say the same to everybody."""
    return lambda address, time: text


def only(who: str, text: str, otherwise: str = "250 OK") -> Answer:
    """Say this about one address, and something else about the others."""
    return lambda address, time: text if address == who else otherwise


OK = always("250 OK")


@dataclass
class Script:
    """What the server says, and when it hangs up."""

    greeting: str = "220 mail.test ready"
    ehlo: str = "250"
    offers: tuple[str, ...] = ("SIZE 1000000", "8BITMIME", "SMTPUTF8")
    starttls: str = "454 4.7.0 TLS is not available"
    mail: Answer = OK
    rcpt: Answer = OK
    data: Answer = field(default_factory=lambda: always("354 go on"))
    end: Answer = OK
    """After the final dot; the message is taken where it says 250 or hangs up."""
    messages_each: int = 1000
    """After so many messages a connection is closed without a word."""
    byte_by_byte: bool = False


class _HungUp(Exception):
    """One of us has hung up."""


@dataclass
class MailServer:
    """The server, and what it took: address and Message-ID."""

    port: int
    script: Script = field(default_factory=Script)
    took: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0
    asked: dict[tuple[str, str], int] = field(default_factory=dict)

    def follow(self, script: Script) -> None:
        """Begin anew with another script."""
        self.script, self.connections = script, 0
        self.took.clear()
        self.asked.clear()

    def serve(self, listening: socket.socket) -> None:
        """Answer calls until the socket is closed."""
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        line.settimeout(60)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with line, suppress(OSError, _HungUp):
            _Talk(self, self.script, line).go()

    def answer(self, step: str, address: str, script: Script) -> str:
        """Return what is said at a step about an address."""
        self.asked[step, address] = self.asked.get((step, address), 0) + 1
        answer: Answer = getattr(script, step)
        return answer(address, self.asked[step, address])


@dataclass
class _Talk:
    server: MailServer
    script: Script
    line: socket.socket
    received: bytes = b""
    sender: str = ""
    to: str = ""
    taken: int = 0

    def go(self) -> None:
        self.say(self.script.greeting)
        while True:
            words = self.read_line().decode("utf-8", "replace")
            self.obey(words[:4].upper(), words)

    def obey(self, command: str, words: str) -> None:
        if command == "EHLO":
            lines = ["mail.test", *self.script.offers]
            joints = ["-"] * (len(lines) - 1) + [" "]
            self.say("\r\n".join(f"{self.script.ehlo}{joint}{text}" for joint, text in zip(joints, lines, strict=True)))
        elif command == "STAR":
            self.say(self.script.starttls)
        elif command == "MAIL":
            self.to = ""
            self.say(self.server.answer("mail", _address(words), self.script))
        elif command == "RCPT":
            found = self.server.answer("rcpt", _address(words), self.script)
            self.to = _address(words) if found.startswith("250") else ""
            self.say(found)
        elif command == "DATA":
            self.take()
        elif command == "QUIT":
            self.say("221 bye")
            raise _HungUp
        else:
            self.say("250 OK")

    def take(self) -> None:
        if not self.to:
            self.say("554 5.5.1 no valid recipients")
            return
        found = self.server.answer("data", self.to, self.script)
        self.say(found)
        if not found.startswith("354"):
            return
        lines = []
        while (text := self.read_line()) != b".":
            lines.append(text)
        found = self.server.answer("end", self.to, self.script)
        if found.startswith("250") or found in (DROP, GARBAGE, STALL):
            self.server.took.append((self.to, str(message_from_bytes(b"\r\n".join(lines))["Message-ID"])))
            self.taken += 1
        self.say(found)
        if self.taken >= self.script.messages_each:
            raise _HungUp

    def read_line(self) -> bytes:
        while b"\r\n" not in self.received:
            some = self.line.recv(1 << 16)
            if not some:
                raise _HungUp
            self.received += some
        found, _, self.received = self.received.partition(b"\r\n")
        return found

    def say(self, what: str) -> None:
        if what == DROP:
            raise _HungUp
        if what == STALL:
            while self.line.recv(1 << 16):
                pass
            raise _HungUp
        if what == TRICKLE:
            self.line.sendall(b"250-")
            for _ in range(int(_LONGEST_TRICKLE / 0.02)):
                sleep(0.02)
                self.line.sendall(b"x")
            raise _HungUp
        if what == FLOOD:
            for _ in range(_LARGEST_FLOOD >> 16):
                self.line.sendall(b"250-no end of it\r\n" * 4096)
            raise _HungUp
        content = b"\xff\x00 what?\r\n" if what == GARBAGE else f"{what}\r\n".encode()
        for piece in [content[n : n + 1] for n in range(len(content))] if self.script.byte_by_byte else [content]:
            self.line.sendall(piece)


def _address(words: str) -> str:
    return words.partition("<")[2].partition(">")[0]


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Yield a mail server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = MailServer(listening.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
