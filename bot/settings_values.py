"""How the text of each kind of setting is read. Every function raises ValueError, whose text says what is wrong.

That text is shown, so it never quotes a value that may be secret.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.core.durations import DurationError, parse_duration

RepositorySecrets = Mapping[str, Mapping[str, str]]  # a secret's values by name and key


def app_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError(f"it is {text!r}")
    return text


def pem(text: str) -> str:
    key_text = text.replace("\\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(key_text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # a TypeError means: it is encrypted
        raise ValueError("what it has is no unencrypted PEM key (not shown here)") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("what it has is another kind of key")
    return key_text


def pem_file(text: str) -> str:
    try:
        content = Path(text).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{text!r} can't be read: {_reason(error)}") from error
    try:
        return pem(content)
    except ValueError as error:
        raise ValueError(f"in {text!r}, {error}") from error


def folder(text: str) -> Path:
    """A folder that is there. Its path is given whole, so that changing the working directory changes nothing."""
    path = Path(text)
    try:
        found = path.is_dir()
    except (OSError, ValueError) as error:  # a ValueError for a null character
        raise ValueError(f"{text!r} can't be read") from error
    if not found:
        raise ValueError(f"{text!r} is none")
    return path.absolute()


def text_file(text: str) -> Path:
    """A file of text that is there. Its path is given whole, as that of a folder."""
    try:
        Path(text).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # a ValueError for a null character, and for what is not text
        raise ValueError(f"{text!r} can't be read") from error
    return Path(text).absolute()


def webhook_secrets(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part for piece in re.split(r"[,\r\n]", text) if (part := piece.strip())))
    if not found:
        raise ValueError("there is none in it")
    return found


def secrets_by_repository(text: str) -> Mapping[str, RepositorySecrets]:
    """`{"owner/repository": {"secret": {"key": "value"}}}`, repositories in lower case. Nothing of it is quoted."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"what it has is no JSON{where}, not shown here") from None
    found: dict[str, RepositorySecrets] = {}
    for repository, named in _object(data).items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", repository):
            raise ValueError('a name on its first level is no repository written as "owner/repository"')
        found[repository.lower()] = {name: _texts(keys, repository) for name, keys in _object(named).items()}
    return found


def _texts(data: object, repository: str) -> Mapping[str, str]:
    texts = {key: value for key, value in _object(data).items() if isinstance(value, str)}
    if texts != data:
        raise ValueError(f"a value of {repository} is not text")
    return texts


def _object(data: object) -> Mapping[str, object]:
    if not isinstance(data, dict):
        raise ValueError("something in it that should be a JSON object is none")
    return data


def address(text: str) -> str:
    parts = urlsplit(text)
    plain = not (parts.username or parts.password or parts.query or parts.fragment or re.search(r"\s", text))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or parts.port == 0:
        raise ValueError("it is something else (no user, password, ? or # in it, please)")
    return text.rstrip("/")


def database(text: str) -> str:
    """Only the kind: the work store, which knows its drivers, reads the rest."""
    if text.partition(":")[0] not in ("sqlite", "postgresql", "postgres", "postgresql+psycopg"):
        raise ValueError
    return text


def host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError(f"it is {text!r}")
    return text


def port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(f"it is {text!r}")
    return int(text)


def duration(text: str) -> timedelta:
    try:
        found = parse_duration(f"{text}s" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else text)
    except DurationError as error:
        raise ValueError(f"it is {text!r}") from error
    if found < timedelta(0):
        raise ValueError(f"it is {text!r}")
    return found


def positive_duration(text: str) -> timedelta:
    found = duration(text)
    if not found:
        raise ValueError(f"it is {text!r}")
    return found


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"it is {text!r}")
        return text.lower()

    return parse


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not plain text"
