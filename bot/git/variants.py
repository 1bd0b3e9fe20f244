"""The same Git asked in another way, with mirrors of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

_UNVERIFIED = {
    "GIT_SSL_NO_VERIFY": "1"
}  # https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpsslVerify


@dataclass(frozen=True, slots=True)
class Variant:
    """Without `contents`, mirrors are of commits and the names of files. Without `verified` certificates no
    credentials are shown over HTTP, and what came so is given to nobody who wants it verified."""

    verified: bool = True
    contents: bool = True

    @property
    def folder(self) -> str:
        return ("verified" if self.verified else "unverified") + ("" if self.contents else "-names")

    def environment(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return environment if self.verified else {**environment, **_UNVERIFIED}
