"""A way to PostgreSQL that can be cut: everything passes through here, and at a chosen request all connections end."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.database import Engine, make_engine

SOCKET = ".s.PGSQL.5432"
COMMIT = b"COMMIT\0"
_READY = b"Z\x00\x00\x00\x05"
_MOST = 1 << 16


@dataclass(frozen=True)
class Place:
    """Where the line is cut: at so many requests, at so many commits, each counted from 1, or where words first are."""

    request: int = 0
    commit: int = 0
    words: bytes | None = None
    answer_lost: bool = False
    """Whether the server gets that commit and does it; only its answer is lost."""

    def is_here(self, request: bytes, number: int, commits: int) -> bool:
        """Whether it is this request, the so manieth, and with it so many commits."""
        if self.words is not None:
            return self.words in request
        return number == self.request or (COMMIT in request and commits == self.commit)


@dataclass
class Line:
    """The way through, and where it is cut."""

    target: Path
    requests: int = 0
    """What was sent to the server since the counting began."""
    commits: int = 0
    """How many of these were commits."""
    cuts: int = 0
    _place: Place | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: list[socket.socket] = field(default_factory=list)

    def count(self, place: Place | None = None) -> None:
        """Count from now on, and cut at that place."""
        with self._lock:
            self.requests, self.commits, self.cuts, self._place = 0, 0, 0, place

    def lose(self) -> None:
        """End all connections."""
        with self._lock:
            gone, self._open = self._open, []
        for each in gone:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def accept(self, server: socket.socket) -> None:
        """Let connections in until the socket is closed."""
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.target / SOCKET))
            except OSError:
                near.close()
                far.close()
                continue
            with self._lock:
                self._open += [near, far]
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, suppress(OSError):
            while True:
                readable, _, _ = select.select([near, far], [], [])
                if near in readable:
                    request = near.recv(_MOST)
                    if not request or self._is_cut(request, far):
                        return
                    far.sendall(request)
                if far in readable:
                    answer = far.recv(_MOST)
                    if not answer:
                        return
                    near.sendall(answer)

    def _is_cut(self, request: bytes, far: socket.socket) -> bool:
        with self._lock:
            self.requests += 1
            self.commits += COMMIT in request
            place = self._place
            if place is None or self.cuts or not place.is_here(request, self.requests, self.commits):
                return False
            self.cuts += 1
        if place.answer_lost:
            far.sendall(request)
            answer = far.recv(_MOST)
            while answer and answer[-6:-1] != _READY:
                answer += far.recv(_MOST)
        self.lose()
        return True


@contextmanager
def severable(engine: Engine) -> Iterator[tuple[Line, Engine]]:
    """Yield a line to the database of `engine`, and an engine that goes through it."""
    host = engine.url.query["host"]
    line = Line(Path(host if isinstance(host, str) else host[0]))
    with tempfile.TemporaryDirectory(prefix="muster-line-") as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(Path(folder) / SOCKET))
        server.listen(50)
        thread = threading.Thread(target=line.accept, args=(server,), daemon=True)
        thread.start()
        through = make_engine(engine.url.update_query_dict({"host": folder}))
        try:
            yield line, through
        finally:
            through.dispose()
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            line.lose()
