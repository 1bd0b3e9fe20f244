"""Settings: the only reader of the environment and of `--env-file`, which knows what each variable wants."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.core.durations import DurationError, parse_duration
from bot.env_file import read_env_file
from bot.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable as the README tells of it: what its value must be, what it is when unset ("" = must be given)."""

    name: str
    wants: str
    default: str
    help: str


VARIABLES: tuple[Variable, ...] = (
    Variable("APP_ID", "the App's number or client id", "", "The GitHub App that Towpath signs in as."),
    Variable(
        "PRIVATE_KEY",
        "an RSA private key in PEM, real or written `\\n` for line breaks",
        "",
        "The App's private key itself. Give this or `PRIVATE_KEY_PATH`.",
    ),
    Variable(
        "PRIVATE_KEY_PATH",
        "a readable file with an RSA private key in PEM",
        "",
        "Where the App's private key is. Give this or `PRIVATE_KEY`.",
    ),
    Variable(
        "WEBHOOK_SECRET",
        "one secret, or several separated by commas or line breaks",
        "",
        "What GitHub signs webhooks with. A webhook signed with any of them is taken, so that secrets can be rotated.",
    ),
    Variable(
        "GITHUB_API_URL",
        "an http(s) address",
        "https://api.github.com",
        "GitHub's REST API; `https://HOST/api/v3` on GitHub Enterprise Server.",
    ),
    Variable(
        "GITHUB_SERVER_URL",
        "an http(s) address",
        "https://github.com",
        "Where GitHub's pages and Git repositories are.",
    ),
    Variable(
        "HOST",
        "a host name or IP address",
        "127.0.0.1",
        "The address to listen on. The container image sets `0.0.0.0`.",
    ),
    Variable("PORT", "a number from 0 to 65535", "3000", "The port to listen on; 0 takes a free one."),
    Variable(
        "DATABASE_URL",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
        "`towpath.db` (SQLite) in `DATA_DIR`",
        "Where work to do is kept. It holds no truth: it may be deleted while Towpath is down.",
    ),
    Variable("DATA_DIR", "a folder", "data", "Mirrors of Git repositories and, by default, the database."),
    Variable(
        "TICK_INTERVAL",
        "a duration above 0, such as 5m, 90s or 300 (seconds)",
        "5m",
        "How often every repository is looked at without being asked, so that a lost webhook costs only this long.",
    ),
    Variable(
        "GITHUB_WRITE_INTERVAL",
        "a duration, such as 1s, 500ms or 0",
        "1s",
        "The least time between two writes to GitHub in one installation, as GitHub asks for.",
    ),
    Variable("LOG_LEVEL", "one of debug, info, warning, error", "info", "How much is logged."),
    Variable("LOG_FORMAT", "one of text, json", "text", "Lines for people, or one JSON object per line."),
)

_BY_NAME = {variable.name: variable for variable in VARIABLES}
_KEY_NAMES = ("PRIVATE_KEY", "PRIVATE_KEY_PATH")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set from outside. Secrets don't show in its `repr`. `VARIABLES` says what each is."""

    app_id: str
    private_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    github_api_url: str
    github_server_url: str
    host: str
    port: int
    database_url: str = field(repr=False)
    data_dir: Path
    tick_interval: timedelta
    github_write_interval: timedelta
    log_level: str
    log_format: str

    @classmethod
    def load(cls, environment: Mapping[str, str], env_file: Path | None = None) -> "Settings":
        """Read every variable from `env_file` and `environment`; what both set, the environment decides.

        Names that are not ours are ignored in both; an empty value counts as unset.
        Raises UserError with one line that names the first variable at fault and what it wants.
        """
        read = _Reader(_merge(read_env_file(env_file) if env_file else {}, environment))
        app_id = read("APP_ID", _app_id)
        private_key = _private_key(read)
        secrets = read("WEBHOOK_SECRET", _secrets)
        api_url, server_url = read("GITHUB_API_URL", _address), read("GITHUB_SERVER_URL", _address)
        host, port = read("HOST", _host), read("PORT", _port)
        database_url = read("DATABASE_URL", _database) if read.has("DATABASE_URL") else ""
        data_dir = read("DATA_DIR", Path)
        return cls(
            app_id=app_id,
            private_key=private_key,
            webhook_secrets=secrets,
            github_api_url=api_url,
            github_server_url=server_url,
            host=host,
            port=port,
            database_url=database_url or f"sqlite:///{data_dir / 'towpath.db'}",
            data_dir=data_dir,
            tick_interval=read("TICK_INTERVAL", _positive_duration),
            github_write_interval=read("GITHUB_WRITE_INTERVAL", _duration),
            log_level=read("LOG_LEVEL", _one_of("debug", "info", "warning", "error")),
            log_format=read("LOG_FORMAT", _one_of("text", "json")),
        )


def from_process(env_file: Path | None = None) -> Settings:
    """The settings of this process. Raises UserError."""
    return Settings.load(os.environ, env_file)


def markdown_table() -> str:
    """The table of settings for the README, from `VARIABLES`."""
    rows = [
        f"| `{one.name}` | {_default_cell(one)} | {one.wants[0].upper()}{one.wants[1:]} | {one.help} |"
        for one in VARIABLES
    ]
    return "\n".join(("| Variable | Default | Value | Meaning |", "|---|---|---|---|", *rows)) + "\n"


def _default_cell(variable: Variable) -> str:
    if not variable.default:
        return "required" if variable.name not in _KEY_NAMES else "one of both is required"
    return variable.default if "`" in variable.default else f"`{variable.default}`"


def _merge(file: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name in _BY_NAME if (value := environment.get(name, "").strip())}
    rest = {name: value for name in _BY_NAME if (value := file.get(name, "").strip())}
    if any(name in ours for name in _KEY_NAMES):  # the key is one setting under two names
        rest = {name: value for name, value in rest.items() if name not in _KEY_NAMES}
    return rest | ours


class _Reader:
    """Reads one variable after the other, and says which one was at fault."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        return name in self._values

    def __call__(self, name: str, parse: Callable[[str], T]) -> T:
        variable = _BY_NAME[name]
        text = self._values.get(name, variable.default)
        if not text:
            raise UserError(f"{name} is not set: it wants {variable.wants}")
        try:
            return parse(text)
        except ValueError as error:
            raise UserError(f"{name} wants {variable.wants}{f': {error}' if str(error) else ''}") from error


def _app_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError(f"it is {text!r}")
    return text


def _private_key(read: _Reader) -> str:
    given = [name for name in _KEY_NAMES if read.has(name)]
    match given:
        case []:
            wants = _BY_NAME["PRIVATE_KEY"].wants
            raise UserError(f"PRIVATE_KEY is not set: it wants {wants}; or PRIVATE_KEY_PATH: a file that holds it")
        case [name]:
            return read(name, _pem if name == "PRIVATE_KEY" else _pem_file)
        case _:
            raise UserError("PRIVATE_KEY and PRIVATE_KEY_PATH are both set: give only one of them")


def _pem(text: str) -> str:
    pem = text.replace("\\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # a TypeError means: it is encrypted
        raise ValueError("what it has is no unencrypted PEM key (not shown here)") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("what it has is another kind of key")
    return pem


def _pem_file(text: str) -> str:
    try:
        content = Path(text).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{text!r} can't be read: {_reason(error)}") from error
    try:
        return _pem(content)
    except ValueError as error:
        raise ValueError(f"in {text!r}, {error}") from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not plain text"


def _secrets(text: str) -> tuple[str, ...]:
    secrets = tuple(dict.fromkeys(part for piece in re.split(r"[,\r\n]", text) if (part := piece.strip())))
    if not secrets:
        raise ValueError("there is none in it")
    return secrets


def _address(text: str) -> str:
    parts = urlsplit(text)
    plain = not (parts.username or parts.password or parts.query or parts.fragment or re.search(r"\s", text))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or parts.port == 0:
        raise ValueError("it is something else (no user, password, ? or # in it, please)")
    return text.rstrip("/")


def _database(text: str) -> str:
    """Only the kind: the work store, which knows its drivers, reads the rest."""
    if text.partition(":")[0] not in ("sqlite", "postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError(f"it is {text!r}")
    return text


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(f"it is {text!r}")
    return int(text)


def _duration(text: str) -> timedelta:
    try:
        duration = parse_duration(f"{text}s" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else text)
    except DurationError as error:
        raise ValueError(f"it is {text!r}") from error
    if duration < timedelta(0):
        raise ValueError(f"it is {text!r}")
    return duration


def _positive_duration(text: str) -> timedelta:
    duration = _duration(text)
    if not duration:
        raise ValueError(f"it is {text!r}")
    return duration


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"it is {text!r}")
        return text.lower()

    return parse
