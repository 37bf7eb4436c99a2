"""Logs: one line an event, as key=value or JSON, without addresses and passwords."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

CHATTY = ("transitions", "httpx", "multipart", "flufl.bounce")
"""Libraries that tell of every single step they take."""
FIELDS = ("case_ref", "actor", "run")

_URL_PASSWORD = re.compile(r"(?P<before>[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s<>]+(?=@)", re.IGNORECASE)
_MAIL_ADDRESS = re.compile(r"(?<![\w.+:/-])[\w.+-]+@(?=[\w-]+(?:\.[\w-]+)*)")


def configure_logging(level: str = "INFO", *, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (default: standard error) and nowhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine(as_json=as_json))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(text: str) -> str:
    """Return `text` with passwords in addresses and the names in mail addresses replaced by asterisks."""
    return _MAIL_ADDRESS.sub("***@", _URL_PASSWORD.sub(r"\g<before>***", text))


class Redaction(logging.Filter):
    """Makes the message of each record safe to keep; add it to handlers that are not Muster's own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message in place and return True: nothing is dropped."""
        record.msg, record.args = redact(record.getMessage()), None
        return True


class OneLine(logging.Formatter):
    """One line a record: when, level, logger, message, then case_ref, actor and run where they are known."""

    def __init__(self, *, as_json: bool = False) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        parts = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        for field in FIELDS:
            if (value := getattr(record, field, None)) is not None:
                parts[field] = redact(str(value))
        if record.exc_info:
            parts["error"] = redact(self.formatException(record.exc_info))
        if self._as_json:
            return _visible(json.dumps(parts, ensure_ascii=False))
        return " ".join(f"{key}={_quoted(value)}" for key, value in parts.items())


def _quoted(value: str) -> str:
    plain = value and not any(sign.isspace() or sign in '"=\\' or not sign.isprintable() for sign in value)
    return value if plain else _visible(json.dumps(value, ensure_ascii=False))


def _visible(text: str) -> str:
    """Return JSON in which every sign can be seen: none ends a line, hides, or turns the direction of what follows."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
