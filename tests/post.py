"""A real SMTP server that keeps what it was given, for tests that read the mail."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Letterbox:
    """What has arrived, in order."""

    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    url: str = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        for address in envelope.rcpt_tos:
            self.mails.append((address, message))
        return "250 OK"

    def to(self, address: str) -> list[str]:
        """Return the subjects of what has arrived for an address."""
        return [str(message["Subject"]) for found, message in self.mails if found == address]

    def addresses(self) -> set[str]:
        """Return everybody who got mail."""
        return {address for address, _ in self.mails}


@contextmanager
def letterbox() -> Iterator[Letterbox]:
    """Yield a letterbox behind a real SMTP server on a free port."""
    box = Letterbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.url = f"smtp://127.0.0.1:{port}"
    try:
        yield box
    finally:
        controller.stop()
