"""Settings: the only reader of the environment and of `--env-file`, which knows what each variable wants."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from bot import settings_values as values
from bot.core.egress import EgressRules, parse_rules
from bot.env_file import read_env_file
from bot.errors import UserError

T = TypeVar("T")
_NONE = "none"  # the default of what may be left out


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
    Variable(
        "SECRETS_DIR",
        "a folder",
        _NONE,
        "Each repository's own secrets, one file per value: `OWNER/REPOSITORY/SECRET/KEY`, as Kubernetes mounts them. "
        "Read whenever they are used, so that they can be rotated.",
    ),
    Variable(
        "SECRETS",
        'JSON, as in `{"acme/config": {"argocd": {"token": "…"}}}`',
        _NONE,
        "The same in the environment. Where both have a secret of one name, the folder's goes.",
    ),
    Variable(
        "DOCKER_CONFIG",
        "a folder with a Docker `config.json`",
        _NONE,
        "Credentials for registries and chart repositories: what `docker login` wrote, or its credential helpers.",
    ),
    Variable(
        "SSH_KNOWN_HOSTS",
        "a readable file of host keys, as `ssh-keyscan` prints them",
        _NONE,
        "Host keys of SSH servers for Git, besides those that github.com, gitlab.com and bitbucket.org publish. Read "
        "whenever it is used. A server whose key is not known is not spoken to.",
    ),
    Variable(
        "EGRESS_ALLOW",
        "networks (`10.0.0.0/8`), hosts (`example.com`, `*.example.com`) and `*` for every public address, separated "
        "by commas or spaces",
        "*",
        "Where steps, metrics, registries, charts and Git repositories outside of GitHub may be. Private and loopback "
        "addresses only where their network or host is listed; link-local and metadata addresses never.",
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
    secrets_dir: Path | None
    secrets: Mapping[str, values.RepositorySecrets] = field(repr=False)
    docker_config: Path | None
    ssh_known_hosts: Path | None
    egress: EgressRules
    log_level: str
    log_format: str

    @classmethod
    def load(cls, environment: Mapping[str, str], env_file: Path | None = None) -> "Settings":
        """Read every variable from `env_file` and `environment`; what both set, the environment decides.

        Names that are not ours are ignored in both; an empty value counts as unset.
        Raises UserError with one line that names the first variable at fault and what it wants.
        """
        read = _Reader(_merge(read_env_file(env_file) if env_file else {}, environment))
        app_id = read("APP_ID", values.app_id)
        private_key = _private_key(read)
        secrets = read("WEBHOOK_SECRET", values.webhook_secrets)
        api_url, server_url = read("GITHUB_API_URL", values.address), read("GITHUB_SERVER_URL", values.address)
        host, port = read("HOST", values.host), read("PORT", values.port)
        database_url = read("DATABASE_URL", values.database) if read.has("DATABASE_URL") else ""
        data_dir = read("DATA_DIR", Path)
        repository_secrets = read("SECRETS", values.secrets_by_repository) if read.has("SECRETS") else {}
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
            tick_interval=read("TICK_INTERVAL", values.positive_duration),
            github_write_interval=read("GITHUB_WRITE_INTERVAL", values.duration),
            secrets_dir=read("SECRETS_DIR", values.folder) if read.has("SECRETS_DIR") else None,
            secrets=repository_secrets,
            docker_config=read("DOCKER_CONFIG", values.folder) if read.has("DOCKER_CONFIG") else None,
            ssh_known_hosts=read("SSH_KNOWN_HOSTS", values.text_file) if read.has("SSH_KNOWN_HOSTS") else None,
            egress=read("EGRESS_ALLOW", parse_rules),
            log_level=read("LOG_LEVEL", values.one_of("debug", "info", "warning", "error")),
            log_format=read("LOG_FORMAT", values.one_of("text", "json")),
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
    if variable.default == _NONE:
        return _NONE
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


def _private_key(read: _Reader) -> str:
    given = [name for name in _KEY_NAMES if read.has(name)]
    match given:
        case []:
            wants = _BY_NAME["PRIVATE_KEY"].wants
            raise UserError(f"PRIVATE_KEY is not set: it wants {wants}; or PRIVATE_KEY_PATH: a file that holds it")
        case [name]:
            return read(name, values.pem if name == "PRIVATE_KEY" else values.pem_file)
        case _:
            raise UserError("PRIVATE_KEY and PRIVATE_KEY_PATH are both set: give only one of them")
