"""``python -m web``: serve the desk."""

from __future__ import annotations

import uvicorn

from cases.environment import open_environment
from config.logging import configure_logging
from config.roles import WEB
from config.settings import load_settings
from web.app import create_app


def main() -> None:
    """Serve until told to stop. Addresses are not logged: personal links are keys."""
    settings = load_settings()
    configure_logging(settings.log_level, as_json=settings.log_format == "json")
    app = create_app(open_environment(settings, role=WEB))
    uvicorn.run(
        app, host=settings.web_host, port=settings.web_port, access_log=False, log_config=None, server_header=False,
        proxy_headers=True, forwarded_allow_ips="127.0.0.1", timeout_graceful_shutdown=5,
    )  # fmt: skip


if __name__ == "__main__":
    main()
