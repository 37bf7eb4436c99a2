"""A mailbox over IMAP, as small as can be: LOGIN, SELECT, UID SEARCH, UID FETCH, UID STORE, LOGOUT."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Letter:
    """A mail in the mailbox."""

    uid: int
    raw: bytes
    seen: bool = False


class Server:
    """Serves one connection after another in a thread of its own."""

    def __init__(self, letters: list[Letter], validity: int) -> None:
        self.letters, self.validity = letters, validity
        self._listens = socket.create_server(("127.0.0.1", 0))
        self.port = self._listens.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up."""
        self._listens.shutdown(socket.SHUT_RDWR)
        self._listens.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                talk, _ = self._listens.accept()
            except OSError:
                return
            with talk, talk.makefile("rwb") as lines:
                lines.write(b"* OK ready\r\n")
                lines.flush()
                for line in lines:
                    lines.write(self._answer(line.decode().strip()))
                    lines.flush()

    def _answer(self, line: str) -> bytes:
        tag, _, command = line.partition(" ")
        verb = command.upper()
        said, ending = b"", "OK done"
        if verb.startswith("CAPABILITY"):
            said = b"* CAPABILITY IMAP4rev1\r\n"
        elif verb.startswith("LOGIN"):
            ending = "OK in" if '"s cret"' in command else "NO wrong password for whoever that is"
        elif verb.startswith("SELECT"):
            ending = "OK [READ-WRITE] open" if "INBOX" in verb else "NO there is none"
            said = f"* {len(self.letters)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] ok\r\n".encode()
        elif verb.startswith("UID SEARCH"):
            said = f"* SEARCH {' '.join(map(str, self._found(verb)))}\r\n".encode()
        elif verb.startswith("UID FETCH"):
            letter = self._letter(verb)
            said = f"* 1 FETCH (UID {letter.uid} BODY[] {{{len(letter.raw)}}}\r\n".encode() + letter.raw + b")\r\n"
        elif verb.startswith("UID STORE"):
            self._letter(verb).seen = True
        elif verb.startswith("LOGOUT"):
            said = b"* BYE\r\n"
        return said + f"{tag} {ending}\r\n".encode()

    def _found(self, verb: str) -> list[int]:
        if "UNSEEN" in verb:
            return [letter.uid for letter in self.letters if not letter.seen]
        after = re.search(r"UID (\d+):\*", verb)
        assert after is not None
        newest = max(letter.uid for letter in self.letters)
        return sorted({newest, *(letter.uid for letter in self.letters if letter.uid >= int(after[1]))})

    def _letter(self, verb: str) -> Letter:
        uid = int(verb.split()[2])
        return next(letter for letter in self.letters if letter.uid == uid)


@contextmanager
def serving(letters: list[Letter], *, validity: int) -> Iterator[Server]:
    """Serve these letters on a port of this machine."""
    server = Server(letters, validity)
    try:
        yield server
    finally:
        server.stop()
