"""The same Git asked in another way, with mirrors of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.contracts.git import Credential, Credentials

_UNVERIFIED = {
    "GIT_SSL_NO_VERIFY": "1"
}  # https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpsslVerify


@dataclass(frozen=True, slots=True)
class Variant:
    """Without `contents`, mirrors are of commits and the names of files. Without `verified` certificates no
    credentials are shown, and what came so is given to nobody who wants it verified."""

    verified: bool = True
    contents: bool = True

    @property
    def folder(self) -> str:
        return ("verified" if self.verified else "unverified") + ("" if self.contents else "-names")

    def credentials(self, credentials: Credentials) -> Credentials:
        """Those shown to servers. They are asked for in any case: whoever gives them may refuse the address."""

        async def withheld(url: str) -> Credential | None:
            await credentials(url)
            return None

        return credentials if self.verified else withheld

    def environment(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        return environment if self.verified else {**environment, **_UNVERIFIED}
