"""One repository at a registry, for what is taken from it or put there whole: every byte checked against its digest.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
"""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from yarl import URL

from bot.errors import UserError
from bot.registry import manifests
from bot.registry.access import Access, Entrance
from bot.registry.documents import Descriptor, Document, read_document
from bot.registry.references import Reference
from bot.registry.transport import Answer, Request, reason

MANIFEST_LIMIT = 4 << 20  # what the specification asks registries to accept at least
_SLOWEST = 1 << 18  # bytes in a second: below that, a transfer has failed


@dataclass(frozen=True, slots=True)
class Repository:
    """What `reference` names, and the repository it is in. `seconds` is for a request of little size."""

    access: Access
    entrance: Entrance
    reference: Reference
    verify_tls: bool
    seconds: float = 60

    @property
    def host(self) -> str:
        return self.entrance.address.host

    @property
    def about(self) -> str:
        return self.reference.text

    async def digest(self, name: str) -> str | None:
        """The digest of what a tag or digest stands for; None where there is nothing. For what isn't told by HEAD."""
        answer = await self.send("HEAD", f"manifests/{name}")
        if answer.status == 404:
            return None
        told = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 200 and manifests.DIGEST.fullmatch(told):
            return told
        answer = await self.send("GET", f"manifests/{name}")
        if answer.status == 404:
            return None
        self.expect(answer, {200}, name)
        return self._checked(answer, name)

    async def document(self, name: str) -> Document:
        """The document a tag or digest stands for, without its children. Raises UserError if there is none."""
        answer = await self.send("GET", f"manifests/{name}")
        if answer.status == 404:
            raise UserError(f"{self.about}: {self.host} has no {name} there{reason(answer)}")
        self.expect(answer, {200}, name)
        digest = self._checked(answer, name)
        try:
            return read_document(answer.body, answer.headers.get("Content-Type", ""), digest)
        except manifests.Malformed as error:
            raise UserError(f"{self.about}: {digest} can't be copied or taken apart: {error}") from error

    async def has_blob(self, blob: Descriptor) -> bool:
        answer = await self.send("HEAD", f"blobs/{blob.digest}")
        if answer.status != 404:
            self.expect(answer, {200}, blob.digest)
        return answer.status == 200

    async def fetch(self, blob: Descriptor, target: Path) -> None:
        """Write a blob to a file. Raises UserError unless it is, to the byte, what it should be."""
        algorithm, _, expected = blob.digest.partition(":")
        hashed, size = hashlib.new(algorithm), 0
        await asyncio.to_thread(target.write_bytes, b"")

        def take(piece: bytes) -> None:
            hashed.update(piece)
            with target.open("r+b") as file:  # left open by nobody, made anew by nobody, whoever is cancelled
                file.seek(0, os.SEEK_END)
                file.write(piece)

        async def receive(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            await asyncio.to_thread(take, piece)

        request = Request(
            self.url(f"blobs/{blob.digest}"),
            self.about,
            limit=blob.size,
            verify_tls=self.verify_tls,
            headers={"Accept-Encoding": "identity"},
            account=self.entrance.account,
            receive=receive,
            seconds=self.for_size(blob.size),
        )
        answer = await self.access.send(self.entrance, request)
        if answer.status == 404:
            raise UserError(f"{self.about}: {self.host} has lost a part of it, {blob.digest}")
        self.expect(answer, {200}, blob.digest)
        if size != blob.size or hashed.hexdigest() != expected:
            raise UserError(f"{self.about}: what {self.host} gives for {blob.digest} has another digest or size")

    # --- what others ask with -------------------------------------------------------------------------

    def url(self, path: str) -> URL:
        return URL(f"{self.entrance.address.origin}/v2/{self.entrance.address.name}/{path}", encoded=True)

    def for_size(self, size: int) -> float:
        return self.seconds + size / _SLOWEST

    async def send(self, method: str, path: str, entrance: Entrance | None = None) -> Answer:
        request = Request(
            self.url(path),
            self.about,
            method,
            accept=manifests.ACCEPT if path.startswith("manifests/") else "*/*",
            limit=MANIFEST_LIMIT,
            verify_tls=self.verify_tls,
            account=self.entrance.account,
            is_pull=method == "GET" and path.startswith("manifests/"),
        )
        return await self.access.send(entrance or self.entrance, request)

    def expect(self, answer: Answer, statuses: set[int], what: str) -> None:
        if answer.status not in statuses:
            raise UserError(f"{self.about}: {self.host} answered {answer.status} for {what}{reason(answer)}")

    def _checked(self, answer: Answer, name: str) -> str:
        """The digest of a document that came: the one asked for or, for a tag, the one that the registry tells."""
        told = name if manifests.DIGEST.fullmatch(name) else answer.headers.get("Docker-Content-Digest", "")
        digest = told or f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if manifests.DIGEST.fullmatch(digest) is None:
            raise UserError(f"{self.about}: {self.host} gives a digest for {name} that is none")
        algorithm, _, expected = digest.partition(":")
        if hashlib.new(algorithm, answer.body).hexdigest() != expected:
            raise UserError(f"{self.about}: what {self.host} gives for {name} has another digest than {digest}")
        return digest
