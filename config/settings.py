"""What an installation decides for itself, read from MUSTER_ variables."""

import difflib
import os
import re
import secrets
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from config.database import driver_url
from config.dkim import readable_key
from config.imap import Imap, parse_imap
from config.locks import locked
from config.smtp import Smtp, parse_smtp

PREFIX = "MUSTER_"
SHORTEST_KEY = 32
_LOCAL = re.compile(r"[A-Za-z0-9._-]{1,40}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class SettingsError(Exception):
    """What is wrong with the settings: `problems` holds one sentence each, naming its variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """The settings of one installation; secrets show as asterisks."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: SecretStr | None = None
    web_database_url: SecretStr | None = None
    worker_database_url: SecretStr | None = None
    home: Path = Path(".muster")
    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    base_url: str = ""
    secret_key: SecretStr = SecretStr("")
    policy: Path | None = None
    time_zone: str = "Europe/London"
    calendar: Literal["EW", "SCT", "NI"] = "EW"
    mail_from: str = "Membership team <membership@localhost>"
    reply_address: str | None = None
    dkim_key: Path | None = None
    dkim_selector: str = "muster"
    dkim_domain: str | None = None
    mail_spool: Path | None = None
    imap_url: SecretStr | None = None
    evidence: Path = Path()
    prefect_port: int = Field(default=4280, ge=1, le=65535)
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8080, ge=1, le=65535)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @property
    def smtp(self) -> Smtp:
        """Where mail is handed over."""
        return parse_smtp(self.smtp_url.get_secret_value())

    @property
    def imap(self) -> Imap | None:
        """The mailbox that is read, where there is one."""
        return None if self.imap_url is None else parse_imap(self.imap_url.get_secret_value())

    @property
    def spool(self) -> Path:
        """The folder in which mail that came in is laid down."""
        return self.mail_spool or self.home / "mail-in"

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.time_zone)

    @field_validator("database_url", "web_database_url", "worker_database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                driver_url(value.get_secret_value())
            except Exception:  # the library's own words would repeat the address, and its password
                raise ValueError("must be a PostgreSQL address, such as postgresql://user@host/muster.") from None
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr) -> SecretStr:
        parse_smtp(value.get_secret_value())
        return value

    @field_validator("imap_url")
    @classmethod
    def _mailbox(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_imap(value.get_secret_value())
        return value

    @field_validator("reply_address")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        local, _, domain = (value or "").rpartition("@")
        if value is not None and (not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain)):
            raise ValueError("must be a plain address without a name or a plus sign, such as replies@example.org.")
        return value

    @field_validator("dkim_key")
    @classmethod
    def _signing_key(cls, value: Path | None) -> Path | None:
        return None if value is None else readable_key(value.expanduser().resolve())

    @field_validator("dkim_selector", "dkim_domain")
    @classmethod
    def _name_in_dns(cls, value: str | None) -> str | None:
        if value is not None and not _DOMAIN.fullmatch(value):
            raise ValueError("must be a name as in the DNS, in letters, digits, hyphens and dots.")
        return value

    @field_validator("mail_spool")
    @classmethod
    def _folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.expanduser().is_dir():
            raise ValueError("names a folder that does not exist.")
        return value.expanduser().resolve() if value is not None else None

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        sentence = "must be the address people open, such as https://muster.example.org, with nothing after it."
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise ValueError(sentence) from None
        if not usable or parts.query or parts.fragment or parts.username:
            raise ValueError(sentence)
        return value.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _provider(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("must be the https address of an OpenID provider, such as https://login.example.org.")
        return value.rstrip("/") if value else None

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"must have at least {SHORTEST_KEY} characters.")
        return value

    @field_validator("policy")
    @classmethod
    def _existing_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("names a file that does not exist.")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:  # zoneinfo raises KeyError, ValueError and OSError, depending on the typing mistake
            raise ValueError("must be an IANA time zone, such as Europe/London.") from None
        return value

    @field_validator("mail_from")
    @classmethod
    def _address(cls, value: str) -> str:
        local, _, domain = parseaddr(value)[1].rpartition("@")
        if not local or not domain or any(sign in value for sign in "\r\n"):
            raise ValueError("must be an address, such as Membership team <membership@example.org>.")
        return value


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in `env` (default: the process's environment), with paths made absolute.

    An empty variable counts as absent. Makes the home folder, and the secret key in it, when there is none.
    Raises SettingsError with one sentence for each thing that is wrong; no sentence repeats a secret.
    """
    env = os.environ if env is None else env
    given = {key: value for key, value in env.items() if key.startswith(PREFIX) and value.strip()}
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    problems = [sentence for key in given if key not in known for sentence in _misspelt(key, known)]
    settings = None
    try:
        settings = Settings.model_validate({known[key]: given[key].strip() for key in given if key in known})
    except ValidationError as error:
        problems += [_sentence(str(item["loc"][0]), item["msg"]) for item in error.errors(include_input=False)]
    if settings is None or problems:
        raise SettingsError(problems)
    return _settled(settings)


def _misspelt(key: str, known: Mapping[str, str]) -> list[str]:
    """Return a sentence when `key` is nearly a setting; other programs may have variables of their own."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.88)
    return [f"{key} is not a setting; did you mean {near[0]}?"] if near else []


def _sentence(name: str, message: str) -> str:
    words = message.removeprefix("Value error, ")
    if words.startswith("Input should be "):
        words = f"must be {words.removeprefix('Input should be ')}."
    return f"{PREFIX}{name.upper()} {words}"


def _settled(settings: Settings) -> Settings:
    """Return `settings` with absolute paths, a secret key, and the desk's own address where none is given."""
    try:
        home = settings.home.expanduser().resolve()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = settings.secret_key
        if not key.get_secret_value():
            key = SecretStr(_kept_key(home))
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its home folder is unknown"
        raise SettingsError([f"MUSTER_HOME must be a folder Muster can write to ({reason})."]) from None
    evidence = settings.evidence.expanduser().resolve() if settings.evidence != Path() else home / "evidence"
    base_url = settings.base_url or f"http://127.0.0.1:{settings.web_port}"
    found = {"home": home, "evidence": evidence, "secret_key": key, "base_url": base_url}
    return settings.model_copy(update=found)


def _kept_key(home: Path) -> str:
    """Return the key in `home`, making it first when there is none, however many processes ask at once."""
    path = home / "secret-key"
    with locked(home / "secret-key.lock"):
        if not path.exists() or not path.read_text().strip():
            draft = home / "secret-key.new"
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_text(secrets.token_urlsafe(48) + "\n")
            draft.replace(path)
        key = path.read_text().strip()
    if len(key) < SHORTEST_KEY:
        raise SettingsError([f"{path} holds a key that is too short; delete it to have a new one made."])
    return key
