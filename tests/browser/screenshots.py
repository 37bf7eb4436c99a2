"""``python -m tests.browser.screenshots FOLDER``: the pictures of the README, taken of the demo's organisation."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from config import postgres
from tests.browser.conftest import ARGUMENTS, LAPTOP, PHONE, Desk, browser_path, serving
from tests.browser.lived_in import lived_in
from tests.browser.places import PAGES

PICTURES = {
    "queue": ("light", False), "case": ("light", False), "approval": ("dark", False), "campaign": ("light", False),
    "survey-section": ("light", True), "process": ("dark", False),
}  # fmt: skip
"""Which places are shown, in which light, and whether on a phone."""


def main(folder: Path) -> None:
    """Take every picture. Needs Chromium, and takes half a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Path(home) / "postgres"
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        try:
            with lived_in(server, Path(home) / "home") as (cast, places), serving(cast) as address:
                for name, (scheme, narrow) in PICTURES.items():
                    who, path = PAGES[name](places)
                    person = Desk(cast, address, browser).person(color_scheme=scheme)
                    person.page.set_viewport_size(PHONE if narrow else LAPTOP)  # type: ignore[arg-type]
                    if who:
                        person.sign_in(who)
                    person.page.goto(path, wait_until="networkidle")
                    person.page.screenshot(path=folder / f"{name}.png")
                    print(f"{name}: {path}")
        finally:
            browser.close()
            postgres.stop(server)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
