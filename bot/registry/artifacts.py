"""Artifacts whole, for steps: an implementation of `contracts.Artifacts`."""

import re
from dataclasses import dataclass
from pathlib import Path

from bot.contracts.registry import Annotations, Login, Pushed
from bot.core.urls import RegistryAddress
from bot.errors import UserError
from bot.registry import copying
from bot.registry.access import Access, Entrance, advice
from bot.registry.blobs import Repository
from bot.registry.credentials import FindCredentials
from bot.registry.docker_config import registry_host
from bot.registry.pushing import Pushing, scopes
from bot.registry.references import Reference, read_reference

# No more than every program reads alike: a login must not go to another host than the one that it was looked up for.
_URL = re.compile(
    r"(oci|https?)://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)(?:/([A-Za-z0-9._~+:@/-]*))?"
)


@dataclass(frozen=True, slots=True)
class ArtifactClient:
    """`seconds` is how long a request of little size may take."""

    access: Access
    credentials: FindCredentials
    seconds: float

    async def download(
        self, reference: str, target: Path, *, size_limit: int, media_type: str = "", verify_tls: bool = True
    ) -> None:
        source = await self._repository(read_reference(reference), verify_tls)
        await copying.download(source, target, media_type, size_limit)

    async def copy(
        self,
        source: str,
        destination: str,
        *,
        annotations: Annotations,
        scratch: Path,
        size_limit: int,
        verify_tls: bool = True,
    ) -> Pushed:
        of, to = read_reference(source), read_reference(destination)
        if to.digest:
            raise UserError(f"{destination!r} is where to push, so it needs a tag and no digest")
        pushing = Pushing(await self._repository(to, verify_tls, scopes(to.address)))
        taken = await self._repository(of, verify_tls)
        return Pushed(to.text, await copying.copy(taken, pushing, annotations, scratch, size_limit), to.tag)

    async def login(self, url: str) -> Login:
        found = _URL.fullmatch(url)
        if found is None or ".." in url.split("/"):
            return Login()
        path = (found[3] or "").strip("/")
        name = re.split("[:@]", path)[0] if found[1] == "oci" else path
        address = RegistryAddress(registry_host(found[2]), name)
        credentials = await self.credentials(address)
        told = advice(Entrance(address, credentials))
        if credentials is None:
            return Login(advice=told)
        if found[1] == "http" and not address.is_loopback:
            raise UserError(f"{url}: credentials are not sent over http; use https")
        return Login(credentials.username, credentials.password, credentials.identity_token, told)

    async def _repository(self, reference: Reference, verify_tls: bool, wanted: tuple[str, ...] = ()) -> Repository:
        entrance = Entrance(reference.address, await self.credentials(reference.address), wanted)
        return Repository(self.access, entrance, reference, verify_tls, self.seconds)
