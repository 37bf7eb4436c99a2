"""A mail server for evaluation: it keeps every mail as a file and passes none on.

`python -m workflows.mail_catcher PORT FOLDER`, started by `muster demo`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from config.clock import utc_now

HOST = "127.0.0.1"
LARGEST = 50_000_000


class Catcher:
    """Keeps what it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Write the mail to a file of its own, whole or not at all, and accept it."""
        self._count += 1
        name = f"{utc_now():%Y%m%d-%H%M%S}-{self._count:06}.eml"
        draft = self._folder / f".{name}"
        draft.write_bytes(envelope.original_content)
        draft.replace(self._folder / name)
        return "250 Kept"


async def catch(port: int, folder: Path) -> None:
    """Accept mail on `port` until cancelled."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    catcher = Catcher(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(catcher, data_size_limit=LARGEST), HOST, port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Accept mail until stopped."""
    port, folder = sys.argv[1:]
    asyncio.run(catch(int(port), Path(folder)))


if __name__ == "__main__":
    main()
