"""A repository's own secrets, from a folder and from the settings, read whenever they are asked for.

The folder is laid out as Kubernetes mounts secrets, its symbolic links included:
https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.core.model import RepositoryName
from bot.engine.redaction import Redactor
from bot.errors import UserError

_NAME = re.compile(r"(?!\.\.)[A-Za-z0-9._-]{1,253}")
_SIZE_LIMIT = (
    1024 * 1024
)  # that of Kubernetes: https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size


class RepositorySecrets:
    """The `Secrets` port of one repository: nothing that is another's can be named.

    `redactor` learns every value that is read.
    """

    def __init__(
        self,
        repository: RepositoryName,
        folder: Path | None,
        given: Mapping[str, Mapping[str, Mapping[str, str]]],
        redactor: Redactor,
    ) -> None:
        owner, _, name = repository.partition("/")
        self._repository = repository
        self._folders = [] if folder is None else [(folder, owner, name), (folder, owner.lower(), name.lower())]
        self._given = given.get(repository.lower(), {})
        self._redactor = redactor

    def get(self, name: str, key: str) -> str | None:
        """One value; None when there is none. Raises UserError for a name no secret can have, or what can't be read."""
        _check(name, key)
        folder = self._folder(name)
        value = self._given.get(name, {}).get(key) if folder is None else self._read(folder, name, key)
        if value is not None:
            self._redactor.learn(value)
        return value

    def named(self, name: str) -> Mapping[str, str]:
        """All values of one secret by key; none when there is no such secret. Raises UserError as `get` does."""
        _check(name)
        folder = self._folder(name)
        keys = list(self._given.get(name, {})) if folder is None else sorted(_keys(folder))
        found = ((key, self.get(name, key)) for key in keys)
        return {key: value for key, value in found if value is not None}

    def mask(self, data: Any) -> Any:
        """The same value with the secrets that were read masked in all its texts."""
        return self._redactor.mask_all(data)

    def _folder(self, name: str) -> Path | None:
        """The secret's folder, which must lie in the repository's, as that in all secrets' folder."""
        for parts in self._folders:
            root = parts[0].resolve()
            own = parts[0].joinpath(*parts[1:]).resolve()
            if not own.is_dir():
                continue
            found = (own / name).resolve()
            if not own.is_relative_to(root) or own == root or not found.is_relative_to(own):
                raise UserError(f"the secret {name!r} of {self._repository} leads out of its folder; ask the operator")
            if found.is_dir():
                return found
        return None

    def _read(self, folder: Path, name: str, key: str) -> str | None:
        about = f"the key {key!r} of the secret {name!r} of {self._repository}"
        for _ in range(2):  # Kubernetes may have put new ones there between the two steps
            path = (folder / key).resolve()
            if not path.is_relative_to(folder):
                raise UserError(f"{about} leads out of its folder; ask the operator")
            try:
                content = _content(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise UserError(f"{about} can't be read: {error.strerror}") from error
            if content is None:
                return None
            if len(content) > _SIZE_LIMIT:
                raise UserError(f"{about} is larger than {_SIZE_LIMIT // 1024} KiB")
            try:
                return content.decode().removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError:
                raise UserError(f"{about} is not text in UTF-8") from None
        return None


def _check(*names: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or name == ".":
            raise UserError(f"{name!r} can't be the name of a secret or of its key: letters, digits, '.', '-' and '_'")


def _keys(folder: Path) -> Iterator[str]:
    """Those that can be asked for; `..data` and the like are Kubernetes' own."""
    for entry in folder.iterdir():
        if _NAME.fullmatch(entry.name) and entry.is_file():
            yield entry.name


def _content(path: Path) -> bytes | None:
    """A regular file's content, one byte more than its limit at most; None for what is no such file."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        with os.fdopen(number, "rb", closefd=False) as file:
            return file.read(_SIZE_LIMIT + 1)
    finally:
        os.close(number)
