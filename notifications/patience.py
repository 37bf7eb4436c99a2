"""Conversations with a mail server in which every answer comes to an end, in time and in size."""

from __future__ import annotations

import io
import smtplib
import socket
from typing import Any

from config.clock import monotonic

LARGEST_ANSWER = 64 * 1024
"""No server has more to say; one that says more is out of its mind."""


class _Answers(io.RawIOBase):
    """What a server says, read with a limit for each answer as a whole: a byte now and then does not prolong it."""

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        self._sock, self._timeout = sock, timeout
        self.begin()

    def begin(self) -> None:
        """Another answer begins."""
        self._ends, self._left = monotonic() + self._timeout, LARGEST_ANSWER

    def readable(self) -> bool:
        """Return True: it is there to be read."""
        return True

    def readinto(self, into: Any) -> int:
        """Read what has come. Raises TimeoutError when the answer has no end."""
        left = self._ends - monotonic()
        if left <= 0 or self._left <= 0:
            raise TimeoutError("the answer does not end")
        self._sock.settimeout(left)
        try:
            count = self._sock.recv_into(into)
        finally:
            self._sock.settimeout(self._timeout)
        self._left -= count
        return count


class _Patient(smtplib.SMTP):
    """Waits for each answer for so long, and no longer."""

    _answers: _Answers | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Return the next answer. Raises SMTPServerDisconnected when it does not come to its end in time."""
        if self.file is None and self.sock is not None:
            self._answers = _Answers(self.sock, float(self.timeout))
            self.file = io.BufferedReader(self._answers)
        elif self._answers is not None:
            self._answers.begin()
        return super().getreply()


class Plain(_Patient):
    """A conversation that begins without encryption."""


class Encrypted(_Patient, smtplib.SMTP_SSL):
    """A conversation that is encrypted from its beginning."""
