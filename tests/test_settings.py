"""Settings: what each variable wants, who decides when several sources speak, and that no secret leaks."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from bot.core.egress import EgressRules
from bot.errors import UserError
from bot.settings import VARIABLES, Settings, from_process, markdown_table


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
    ).decode()


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY = pem(RSA)
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
SECRETS = '{"acme/shop": {"cd": {"token": "hunter2"}}}'
MINIMUM = {"APP_ID": "7", "PRIVATE_KEY": KEY, "WEBHOOK_SECRET": "hush"}


def load(**changes: str) -> Settings:
    return Settings.load(MINIMUM | changes)


def fault(environment: Mapping[str, str]) -> str:
    with pytest.raises(UserError) as caught:
        Settings.load(environment)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_three_variables_are_enough_and_the_rest_has_defaults() -> None:
    settings = load()
    assert settings == Settings(
        app_id="7",
        private_key=KEY,
        webhook_secrets=("hush",),
        github_api_url="https://api.github.com",
        github_server_url="https://github.com",
        host="127.0.0.1",
        port=3000,
        database_url="sqlite:///data/towpath.db",
        data_dir=Path("data"),
        tick_interval=timedelta(minutes=5),
        github_write_interval=timedelta(seconds=1),
        secrets_dir=None,
        secrets={},
        docker_config=None,
        ssh_known_hosts=None,
        egress=EgressRules(public=True),
        log_level="info",
        log_format="text",
    )


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("APP_ID", "Iv23liABC", "app_id", "Iv23liABC"),
        ("PRIVATE_KEY", KEY.replace("\n", "\\n"), "private_key", KEY),
        ("WEBHOOK_SECRET", "new, old", "webhook_secrets", ("new", "old")),
        ("WEBHOOK_SECRET", "new\nold\n\nnew", "webhook_secrets", ("new", "old")),
        ("GITHUB_API_URL", "https://ghes.example.com/api/v3/", "github_api_url", "https://ghes.example.com/api/v3"),
        ("GITHUB_SERVER_URL", "http://127.0.0.1:8080", "github_server_url", "http://127.0.0.1:8080"),
        ("HOST", "::1", "host", "::1"),
        ("PORT", "0", "port", 0),
        ("DATABASE_URL", "postgresql://u:p@db/towpath", "database_url", "postgresql://u:p@db/towpath"),
        ("DATA_DIR", "/var/lib/towpath", "data_dir", Path("/var/lib/towpath")),
        ("DATA_DIR", "/var/lib/towpath", "database_url", "sqlite:////var/lib/towpath/towpath.db"),
        ("TICK_INTERVAL", "90", "tick_interval", timedelta(seconds=90)),
        ("TICK_INTERVAL", "1h30m", "tick_interval", timedelta(minutes=90)),
        ("GITHUB_WRITE_INTERVAL", "0", "github_write_interval", timedelta(0)),
        ("GITHUB_WRITE_INTERVAL", "0.5", "github_write_interval", timedelta(milliseconds=500)),
        ("SECRETS_DIR", "/", "secrets_dir", Path("/")),
        ("SECRETS", '{"Acme/config": {"cd": {"token": "t"}}}', "secrets", {"acme/config": {"cd": {"token": "t"}}}),
        ("DOCKER_CONFIG", "tests", "docker_config", Path("tests").absolute()),
        ("SSH_KNOWN_HOSTS", "README.md", "ssh_known_hosts", Path("README.md").absolute()),
        ("EGRESS_ALLOW", "*, 127.0.0.0/8 ::1", "egress", EgressRules(networks=(*LOOPBACK,))),
        ("EGRESS_ALLOW", "*.example.com", "egress", EgressRules(public=False, hosts=("*.example.com",))),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("LOG_FORMAT", "json", "log_format", "json"),
    ],
)
def test_a_variable_is_read_as_what_it_means(name: str, text: str, attribute: str, value: object) -> None:
    assert getattr(load(**{name: text}), attribute) == value


@pytest.mark.parametrize("name", ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET"])
def test_a_missing_variable_is_named_with_what_it_wants(name: str) -> None:
    text = fault({key: value for key, value in MINIMUM.items() if key != name})
    assert text.startswith(f"{name} is not set: it wants ")
    assert fault(MINIMUM | {name: "  "}) == text, "an empty value counts as unset"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("APP_ID", "my app"),
        ("PRIVATE_KEY", "hunter2"),
        ("PRIVATE_KEY", pem(ec.generate_private_key(ec.SECP256R1()))),
        ("PRIVATE_KEY", pem(RSA, b"hunter2")),
        ("WEBHOOK_SECRET", " , ,"),
        ("GITHUB_API_URL", "api.github.com"),
        ("GITHUB_API_URL", "https://hunter2@api.github.com"),
        ("GITHUB_API_URL", "https://api.github.com?a=b"),
        ("GITHUB_API_URL", "https://[::1"),
        ("GITHUB_SERVER_URL", "ssh://github.com"),
        ("GITHUB_SERVER_URL", "https://host:99999"),
        ("HOST", "two hosts"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("TICK_INTERVAL", "0"),
        ("TICK_INTERVAL", "soon"),
        ("TICK_INTERVAL", "1d"),
        ("GITHUB_WRITE_INTERVAL", "-1s"),
        ("SECRETS_DIR", "no such folder"),
        ("SECRETS", "hunter2"),
        ("SECRETS", '{"acme/shop": {"cd": {"token": "hunter2", "n": 1}}}'),
        ("SECRETS", '{"hunter2": {}}'),
        ("SECRETS", '{"acme/shop": "hunter2"}'),
        ("DOCKER_CONFIG", "no such folder"),
        ("SSH_KNOWN_HOSTS", "no such file"),
        ("SSH_KNOWN_HOSTS", "tests"),
        ("EGRESS_ALLOW", "10.0.0.1/8"),
        ("EGRESS_ALLOW", "*, 1.2.3"),
        ("EGRESS_ALLOW", "https://example.com"),
        ("EGRESS_ALLOW", "exa*mple.com"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_malformed_variable_is_named_with_what_it_wants_and_without_secrets(name: str, text: str) -> None:
    message = fault(MINIMUM | {name: text})
    (variable,) = (one for one in VARIABLES if one.name == name)
    assert message.startswith(f"{name} wants {variable.wants}")
    assert "hunter2" not in message
    assert "BEGIN" not in message


def test_the_private_key_may_be_in_a_file(tmp_path: Path) -> None:
    rest = {"APP_ID": "7", "WEBHOOK_SECRET": "hush"}
    file = tmp_path / "key.pem"
    file.write_text(KEY)
    assert Settings.load(rest | {"PRIVATE_KEY_PATH": str(file)}).private_key == KEY
    assert "can't be read: No such file or directory" in fault(rest | {"PRIVATE_KEY_PATH": str(tmp_path / "no.pem")})
    file.write_text("hunter2")
    message = fault(rest | {"PRIVATE_KEY_PATH": str(file)})
    assert message.startswith("PRIVATE_KEY_PATH wants ")
    assert "hunter2" not in message
    assert "both set" in fault(MINIMUM | {"PRIVATE_KEY_PATH": str(file)})


def test_the_environment_decides_over_the_env_file_and_unknown_names_are_ignored(tmp_path: Path) -> None:
    file = tmp_path / "bot.env"
    missing = tmp_path / "gone.pem"
    file.write_text(
        f"APP_ID=7\nWEBHOOK_SECRET='from file'\nPRIVATE_KEY_PATH={missing}\nPORT=4000\nTOKEN_OWNER=ghp_1\nHOST=\n"
    )
    settings = Settings.load({"PRIVATE_KEY": KEY, "PORT": "5000", "WEBHOOK_SECRET": "", "SHELL": "/bin/sh"}, file)
    assert (settings.private_key, settings.port, settings.webhook_secrets) == (KEY, 5000, ("from file",))
    assert settings.host == "127.0.0.1"


def test_the_process_environment_is_read(tmp_path: Path) -> None:
    file = tmp_path / "bot.env"
    file.write_text(f'APP_ID=7\nWEBHOOK_SECRET=hush\nPRIVATE_KEY="{KEY}"\n')
    assert from_process(file).private_key == KEY


def test_no_secret_shows_in_the_repr() -> None:
    shown = repr(load(WEBHOOK_SECRET="hunter2", DATABASE_URL="postgresql://u:hunter2@db/towpath", SECRETS=SECRETS))
    assert "hunter2" not in shown
    assert "PRIVATE" not in shown


@hypothesis(deadline=None)  # reading a key takes its time on a machine that is busy
@given(st.dictionaries(st.sampled_from([one.name for one in VARIABLES]), st.text(max_size=40)))
@example({"DATA_DIR": "\x00"})
@example({"PRIVATE_KEY": "", "PRIVATE_KEY_PATH": "\x00"})
def test_any_text_in_any_variable_gives_settings_or_one_line(changes: dict[str, str]) -> None:
    told = ""
    try:
        Settings.load(MINIMUM | changes)
    except UserError as error:
        told = str(error)
    assert "\n" not in told
    assert told == "" or told.split()[0] in {one.name for one in VARIABLES}


def test_the_table_tells_of_every_variable() -> None:
    lines = markdown_table().splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == [one.name for one in VARIABLES]
    assert all(line.count("|") == 5 for line in lines)
