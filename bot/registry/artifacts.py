"""Artifacts whole, for steps: an implementation of `contracts.Artifacts`."""

from dataclasses import dataclass
from pathlib import Path

from bot.contracts.registry import Annotations, Pushed
from bot.errors import UserError
from bot.registry import copying
from bot.registry.access import Access, Entrance
from bot.registry.blobs import Repository
from bot.registry.credentials import FindCredentials
from bot.registry.pushing import Pushing, scopes
from bot.registry.references import Reference, read_reference


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

    async def _repository(self, reference: Reference, verify_tls: bool, wanted: tuple[str, ...] = ()) -> Repository:
        entrance = Entrance(reference.address, await self.credentials(reference.address), wanted)
        return Repository(self.access, entrance, reference, verify_tls, self.seconds)
