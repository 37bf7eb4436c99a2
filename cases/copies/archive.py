"""A backup as a file: a tar archive of parts, whose last part is the manifest with the digest of all others.

An archive without its manifest was cut off. Parts are ``tables/<name>.copy.gz``, ``evidence/<digest>``,
``mail/<digest>`` and, where it was asked for, ``secret-key``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from cases.copies import manifest as manifests
from cases.copies.errors import BadBackup
from cases.copies.manifest import FORMAT

MANIFEST = "manifest.json"
KEY = "secret-key"
LONGEST_MANIFEST = 1024 * 1024 * 1024
_CHUNK = 1024 * 1024
_IN_MEMORY = 8 * _CHUNK


def table_part(table: str) -> str:
    """Return the name of the part that holds a table."""
    return f"tables/{table}.copy.gz"


def is_ours(table: str) -> bool:
    """Whether a table may be one of Muster's by its name; others may stand beside them, and no part is called so."""
    return re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", table) is not None


class Writer:
    """Writes an archive into a stream, part by part. Nothing is read back, so it may go into a pipe."""

    def __init__(self, out: BinaryIO, drafts: Path) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  closed in finish
        self._drafts = drafts
        self.parts: dict[str, tuple[int, str]] = {}

    def add_rows(self, table: str, chunks: Iterable[bytes]) -> None:
        """Add a table, compressed."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._drafts)) as draft:
            with gzip.GzipFile(fileobj=cast(IO[bytes], draft), mode="wb", compresslevel=6, mtime=0) as packed:
                for chunk in chunks:
                    packed.write(chunk)
            size = draft.tell()
            draft.seek(0)
            self.add(table_part(table), cast(BinaryIO, draft), size)

    def add(self, name: str, content: BinaryIO, size: int) -> str:
        """Add so many bytes under a name, and return their SHA-256."""
        member, hashing = tarfile.TarInfo(name), _Hashing(content)
        member.size, member.mode = size, 0o600
        self._tar.addfile(member, cast(IO[bytes], hashing))
        self.parts[name] = size, hashing.digest.hexdigest()
        return self.parts[name][1]

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Add the manifest, which makes the archive whole."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._drafts)) as draft:
            draft.write(json.dumps({"format": FORMAT, **manifest, "parts": self.parts}, indent=1).encode())
            size = draft.tell()
            draft.seek(0)
            member = tarfile.TarInfo(MANIFEST)
            member.size, member.mode = size, 0o600
            self._tar.addfile(member, cast(IO[bytes], draft))
        self._tar.close()


class _Hashing:
    """A stream that knows the digest of what was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        found = self._stream.read(size)
        self.digest.update(found)
        return found


class Reader:
    """Reads an archive. What its manifest does not name is not there."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {member.name: member for member in tar if member.isreg() and not member.issparse()}
        self.manifest = self._manifest()
        self.parts: Mapping[str, Any] = self.manifest["parts"]

    def _manifest(self) -> Mapping[str, Any]:
        file = self._tar.extractfile(self._members[MANIFEST]) if MANIFEST in self._members else None
        if file is None:
            raise BadBackup("it has no end, so making it was interrupted or it was cut off.")
        return manifests.read(file.read(LONGEST_MANIFEST))

    def verify(self) -> None:
        """Compute the digest of every part. Raises BadBackup with those that are not as they were written."""
        bad = [name for name, (size, digest) in self.parts.items() if self._digest(name) != (size, digest)]
        if bad:
            more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
            raise BadBackup(f"{', '.join(bad[:3])}{more} is not as it was written.")

    def _digest(self, name: str) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        if name in self._members and self._members[name].size == self.parts[name][0]:
            for chunk in self.chunks(name):
                digest.update(chunk)
                size += len(chunk)
        return size, digest.hexdigest()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a part piece by piece."""
        file = self._tar.extractfile(self._members[name])
        while file is not None and (chunk := file.read(_CHUNK)):
            yield chunk

    def rows(self, table: str) -> Iterator[bytes]:
        """Yield the rows of a table piece by piece, as they were copied out."""
        file = self._tar.extractfile(self._members[table_part(table)])
        with gzip.GzipFile(fileobj=file) as packed:
            while chunk := packed.read(_CHUNK):
                yield chunk


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Yield a backup to read. Raises BadBackup, or OSError where there is no such file."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield Reader(tar)
    except (tarfile.TarError, EOFError, KeyError, TypeError, ValueError, gzip.BadGzipFile) as bad:
        raise BadBackup(f"{path.name} cannot be read ({type(bad).__name__}).") from None
