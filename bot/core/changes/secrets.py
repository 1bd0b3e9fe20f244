"""Secrets in manifests: shown by a keyed hash, so that people see that a value changed and never what it is."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.changes.manifests import Data, Unreadable, documents, resources

_PURPOSE = b"towpath secret values v1"
_SHOWN = 12  # characters of the hash
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # repeats the whole resource
# In files that are no `Secret`, a text under such a name is taken for one all the same.
_TELLING = re.compile(
    r"(password|passwd|passphrase|api[-_]?key|private[-_]?key|(access|auth|bearer|refresh)[-_]?token"
    r"|secret[-_]?key|client[-_]?secret)$",
    re.IGNORECASE,
)


def masking_key(private_key: bytes) -> bytes:
    """The key values are hashed with, derived from the App's private key like that of the records."""
    return hmac.digest(hashlib.sha256(private_key.strip()).digest(), _PURPOSE, "sha256")


def is_secret(data: Data) -> bool:
    return data.get("kind") == "Secret"


def masked(data: Data, key: bytes) -> Data:
    """The resource as it may be shown. Equal values have equal hashes, be they in `data` or in `stringData`.

    https://kubernetes.io/docs/concepts/configuration/secret/
    """
    if not is_secret(data):
        return {name: _without_telling(value, name, key) for name, value in data.items()}
    shown = {name: value for name, value in data.items() if name not in ("data", "stringData")}
    about = shown.get("metadata")
    if isinstance(about, Mapping) and isinstance(notes := about.get("annotations"), Mapping):
        kept = {name: value for name, value in notes.items() if name != _LAST_APPLIED}
        shown["metadata"] = {**about, "annotations": kept}
    values: dict[str, str] = {}
    for field, decode in (("data", _decoded), ("stringData", _encoded)):
        content = data.get(field)
        if isinstance(content, Mapping):
            values.update({str(name): _hash(decode(value), key) for name, value in content.items()})
        elif content is not None:
            values[field] = _hash(_encoded(content), key)
    return {**shown, "data": values}


def _without_telling(value: Any, name: str, key: bytes) -> Any:
    if isinstance(value, Mapping):
        if is_secret(value):
            return masked(value, key)
        called = value.get("name")
        return {
            inner: _without_telling(each, str(called) if inner == "value" and called else str(inner), key)
            for inner, each in value.items()
        }
    if isinstance(value, list):
        return [_without_telling(each, name, key) for each in value]
    if isinstance(value, str) and value and _TELLING.search(name):
        return _hash(_encoded(value), key)
    return value


def plaintext_secrets(content: bytes, path: str) -> tuple[str, ...]:
    """Names of the `Secret`s in a file whose values anybody could read: not empty, and not encrypted by SOPS.

    https://getsops.io/docs/#encrypting-using-only-a-subset-of-a-file
    """
    if b"Secret" not in content and b"\\" not in content:  # nor one that is written with escapes
        return ()
    try:
        found = [one for document in documents(content) for one in resources([document], path) or ()]
    except Unreadable:
        return ()
    return tuple(one.identity.name for one in found if is_secret(one.data) and _readable(one.data))


def _readable(data: Data) -> bool:
    if isinstance(data.get("sops"), Mapping):
        return False
    return any(_values(data.get(field)) for field in ("data", "stringData"))


def _values(content: Any) -> Sequence[Any]:
    values = content.values() if isinstance(content, Mapping) else () if content is None else (content,)
    return [value for value in values if value not in (None, "")]


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(str(value), validate=False)
    except (binascii.Error, ValueError):
        return _encoded(value)


def _encoded(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _hash(value: bytes, key: bytes) -> str:
    return f"hidden:{hmac.new(key, value, hashlib.sha256).hexdigest()[:_SHOWN]}"
