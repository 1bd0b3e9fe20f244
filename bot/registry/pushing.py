"""Putting content into a repository at a registry: mounted from another one there, or sent.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from yarl import URL

from bot.core.urls import RegistryAddress
from bot.errors import UserError
from bot.registry.access import Refused, advice
from bot.registry.blobs import MANIFEST_LIMIT, Repository
from bot.registry.documents import Descriptor, Document
from bot.registry.transport import Answer, Request, reason


def scopes(address: RegistryAddress, mounted: RegistryAddress | None = None) -> tuple[str, ...]:
    """What it takes to push to a repository, and to mount there what another one has.

    https://distribution.github.io/distribution/spec/auth/scope/
    """
    pushed = (f"repository:{address.name}:pull,push",)
    return (*pushed, f"repository:{mounted.name}:pull") if mounted else pushed


@dataclass(frozen=True, slots=True)
class Pushing:
    """Pushes to a repository. Its entrance has the scopes for that."""

    to: Repository

    async def mount(self, blob: Descriptor, source: RegistryAddress) -> URL | None:
        """Have the registry take a blob from another of its repositories: None when it did, or where to send it to.

        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
        """
        both = replace(self.to.entrance, scopes=scopes(self.to.entrance.address, source))
        try:
            answer = await self.to.send("POST", f"blobs/uploads/?mount={blob.digest}&from={source.name}", both)
        except Refused:  # who may push here need not be let in there
            return await self.begin(blob)
        if answer.status == 201:
            self._same(answer, blob.digest)
            return None
        return self._session(answer) if answer.status == 202 else await self.begin(blob)

    async def begin(self, blob: Descriptor) -> URL:
        """Begin an upload: where the blob is to be sent to."""
        to = self.to
        answer = await to.send("POST", "blobs/uploads/")
        if answer.status == 404:
            said = f"{to.about}: {to.host} has no repository {to.entrance.address.name}{reason(answer)}"
            raise UserError(f"{said}. Create it there if the registry doesn't do so by itself. {advice(to.entrance)}")
        self._expect(answer, {202}, blob)
        return self._session(answer)

    async def upload(self, blob: Descriptor, file: Path, there: URL) -> None:
        """Send a blob to where that was begun. Raises UserError where the registry doesn't take it, or takes it for
        something else."""
        if blob.size:
            sending = self._request("PATCH", there, "application/octet-stream", blob.size)
            answer = await self.to.access.send(self.to.entrance, replace(sending, file=file))
            self._expect(answer, {201, 202, 204}, blob)
            there = self._session(answer)
        there = URL(f"{there}{'&' if there.raw_query_string else '?'}digest={blob.digest}", encoded=True)
        ending = replace(self._request("PUT", there, "application/octet-stream"), seconds=self.to.for_size(blob.size))
        answer = await self.to.access.send(self.to.entrance, ending)
        self._expect(answer, {201, 204}, blob)
        self._same(answer, blob.digest)

    async def put(self, document: Document, name: str) -> None:
        """Put a manifest or index under a tag, or under its digest."""
        request = self._request("PUT", self.to.url(f"manifests/{name}"), document.media_type)
        answer = await self.to.access.send(self.to.entrance, replace(request, body=document.body))
        self.to.expect(answer, {200, 201}, f"pushing {name}")
        self._same(answer, document.digest)

    def _request(self, method: str, url: URL, media_type: str, size: int | None = None) -> Request:
        headers: Mapping[str, str] = {"Content-Type": media_type}
        if size is not None:
            headers = {**headers, "Content-Length": str(size)}
        return Request(
            url,
            self.to.about,
            method,
            limit=MANIFEST_LIMIT,
            verify_tls=self.to.verify_tls,
            headers=headers,
            account=self.to.entrance.account,
            seconds=self.to.for_size(size or 0),
        )

    def _session(self, answer: Answer) -> URL:
        """Where an upload goes on: at the same registry, so that no other is shown its login.

        Behind a proxy some registries take themselves to be at http, or at no port.
        """
        origin = self.to.url("").origin()
        location = answer.headers.get("Location", "")
        try:
            there = answer.url.join(URL(location, encoded=True)) if location else None
            same = (
                there is not None and there.host == origin.host and there.explicit_port in {None, origin.explicit_port}
            )
        except ValueError:
            there, same = None, False
        if there is None or not same:
            raise UserError(f"{self.to.about}: {self.to.host} wants an upload to go on at no place of its own")
        return URL(f"{origin}{there.raw_path_qs}", encoded=True)

    def _expect(self, answer: Answer, statuses: set[int], blob: Descriptor) -> None:
        self.to.expect(answer, statuses, f"pushing {blob.digest} of {blob.size:,} bytes")

    def _same(self, answer: Answer, digest: str) -> None:
        told = answer.headers.get("Docker-Content-Digest", digest)
        if told != digest:
            raise UserError(f"{self.to.about}: {self.to.host} took {digest} for something else; nothing refers to it")
