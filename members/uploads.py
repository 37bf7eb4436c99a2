"""Files that somebody has uploaded and not yet decided about: each person's own, under a random name, for an hour."""

import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from members.errors import NotFound, Unusable

KEPT_FOR = timedelta(hours=1)
LARGEST = 20 * 1024 * 1024
LARGEST_UNPACKED = 300 * 1024 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_UNUSUAL = re.compile(r"[^\w. ()-]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits, and what was said about it so far."""

    token: str
    folder: Path
    name: str
    at: datetime
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.folder / self.name


def keep(home: Path, person: str, name: str, content: BinaryIO, *, now: datetime) -> Upload:
    """Keep a file for a person until it is used or an hour has passed. `now` is the real instant. Raises Unusable."""
    forget_old(home, now=now)
    upload = Upload(token := secrets.token_urlsafe(16), _room(home, person) / token, _plain(name), now)
    upload.folder.mkdir(mode=0o700, parents=True)
    try:
        _write(upload.path, content)
        say(upload, {})
    except BaseException:
        forget(upload)
        raise
    return upload


def _room(home: Path, person: str) -> Path:
    return home / "uploads" / re.sub(r"\W+", "-", person)


def _plain(name: str) -> str:
    """Return a name that is safe as the name of a file."""
    last = _UNUSUAL.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    return f"{last[:80]}{Path(last).suffix[:8] if len(last) > 80 else ''}" if last and last != "about.json" else "table"


def _write(path: Path, content: BinaryIO) -> None:
    size = 0
    with path.open("wb") as file:
        while piece := content.read(1 << 20):
            size += len(piece)
            if size > LARGEST:
                raise Unusable(f"The file is larger than {LARGEST >> 20} MB; divide it.")
            file.write(piece)
    if not size:
        raise Unusable("The file is empty.")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            if sum(each.file_size for each in packed.infolist()) > LARGEST_UNPACKED:
                raise Unusable("The file unpacks to far more than a table of members can be.")


def find(home: Path, person: str, token: str, *, now: datetime) -> Upload:
    """Return what a person has uploaded. Raises NotFound for what is not theirs, was used, or has been too long."""
    gone = NotFound("This file is no longer kept; upload it again.")
    if not _TOKEN.fullmatch(token):
        raise gone
    folder = _room(home, person) / token
    try:
        about = json.loads((folder / "about.json").read_text("utf-8"))
        at = datetime.fromisoformat(about["at"])
    except (OSError, ValueError, KeyError):
        raise gone from None
    if now - at > KEPT_FOR:
        raise gone
    return Upload(token, folder, about["name"], at, about["said"])


def say(upload: Upload, said: Mapping[str, Any]) -> Upload:
    """Keep what was said about a file beside it, in place of what was said before."""
    about = {"name": upload.name, "at": upload.at.isoformat(), "said": dict(said)}
    draft = upload.folder / f"about.{secrets.token_hex(4)}"
    draft.write_text(json.dumps(about), "utf-8")
    draft.replace(upload.folder / "about.json")
    return Upload(upload.token, upload.folder, upload.name, upload.at, said)


def used(upload: Upload, said: Mapping[str, Any]) -> None:
    """Remove the file itself, and keep what came of it until the hour is over."""
    say(upload, said)
    upload.path.unlink(missing_ok=True)


def forget(upload: Upload) -> None:
    """Remove a file and everything that was said about it."""
    shutil.rmtree(upload.folder, ignore_errors=True)


def forget_old(home: Path, *, now: datetime) -> int:
    """Remove every file that nobody decided about within an hour, and return how many. `now` is the real instant."""
    oldest, gone = (now - KEPT_FOR).timestamp(), 0
    for folder in (home / "uploads").glob("*/*"):
        if folder.is_dir() and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone
