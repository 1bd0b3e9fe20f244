"""Artifacts whole: one layer of one to a file, and all of one from repository to repository."""

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bot.contracts.registry import Annotations
from bot.errors import UserError
from bot.registry.blobs import Repository
from bot.registry.documents import Descriptor, Document, annotated
from bot.registry.pushing import Pushing
from bot.registry.together import together

_AT_ONCE = 3  # blobs under way
_MOST_DOCUMENTS = 400
_DOCUMENTS_LIMIT = 32 << 20  # bytes of all manifests and indexes of an artifact
_DEEPEST = 4  # indexes within indexes
_USUAL = "linux/amd64"  # whose image is meant by an index, as in Kargo


async def download(source: Repository, target: Path, media_type: str, size_limit: int) -> None:
    """Write one layer to a file."""
    document = await source.document(source.reference.name)
    if document.is_index:
        document = await source.document(_usual(source, document).digest)
    fitting = [layer for layer in document.layers if media_type in {"", layer.media_type}]
    if not fitting:
        raise UserError(f"{source.about} has no layer{_lacking(document, media_type)}")
    if fitting[0].size > size_limit:
        raise UserError(f"{source.about}: its layer has {fitting[0].size:,} bytes, more than {size_limit:,}")
    await source.fetch(fitting[0], target)


def _usual(source: Repository, index: Document) -> Descriptor:
    for child in index.listed:
        if child.platform in {"", _USUAL}:
            return child
    there = ", ".join(one.platform for one in index.listed if "unknown" not in one.platform) or "none"
    raise UserError(f"{source.about} has no image for {_USUAL}; it has {there}. Name the one you want by its digest.")


def _lacking(document: Document, media_type: str) -> str:
    there = ", ".join(dict.fromkeys(layer.media_type for layer in document.layers)) or "nothing"
    return f" of media type {media_type!r}; it has {there}" if media_type else ""


async def copy(source: Repository, to: Pushing, annotations: Annotations, scratch: Path, size_limit: int) -> str:
    """Have the destination's tag stand for the source; the digest that it then has."""
    tag, name = to.to.reference.tag, source.reference.name
    there = await to.to.digest(tag)
    as_it_is = not annotations.index and not annotations.manifest
    # Two HEAD requests, which no registry counts as pulls, tell that there is nothing to do.
    if there and as_it_is and (source.reference.digest or await source.digest(name)) == there:
        return there
    found = await _Reading(source).whole(name)
    wanted = annotated(found, annotations)
    if wanted.digest == there:
        return there
    within = source.entrance.address == to.to.entrance.address
    if not within:
        _check_size(source, found, size_limit)
    known = frozenset(_digests(found)) if within else frozenset()
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".oci-", ignore_cleanup_errors=True) as folder:
        await _Copy(source, to, known, Path(folder)).put(wanted, tag)
    return wanted.digest


class _Reading:
    """Reads a document and all documents below it."""

    def __init__(self, source: Repository) -> None:
        self._source = source
        self._documents = self._bytes = 0

    async def whole(self, name: str, depth: int = 0) -> Document:
        document = await self._source.document(name)
        self._documents += 1
        self._bytes += len(document.body)
        if self._documents > _MOST_DOCUMENTS or self._bytes > _DOCUMENTS_LIMIT or depth > _DEEPEST:
            raise UserError(f"{self._source.about} has too many parts to be copied")
        return replace(document, children=tuple([await self.whole(one.digest, depth + 1) for one in document.listed]))


def _check_size(source: Repository, document: Document, limit: int) -> None:
    sizes: dict[str, int] = {}
    for blob in document.all_blobs():
        sizes[blob.digest] = max(blob.size, sizes.get(blob.digest, 0))
    size = sum(sizes.values())
    if size > limit:
        raise UserError(
            f"{source.about} has {size:,} bytes in all, more than the {limit:,} that are copied between repositories"
        )


def _digests(document: Document) -> Iterable[str]:
    yield document.digest
    for child in document.children:
        yield from _digests(child)


class _Copy:
    """Puts documents after what they refer to. `known` are the documents that the destination is known to have."""

    def __init__(self, source: Repository, to: Pushing, known: frozenset[str], folder: Path) -> None:
        self._source, self._to, self._known, self._folder = source, to, known, folder
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._within = source.entrance.address == to.to.entrance.address
        self._done: set[str] = set()

    async def put(self, document: Document, name: str) -> None:
        for child in document.children:
            if child.digest not in self._known and await self._to.to.digest(child.digest) != child.digest:
                await self.put(child, child.digest)
        if not self._within:
            new = {blob.digest: blob for blob in document.blobs if blob.digest not in self._done}
            await together(self._blob(blob) for blob in new.values())
            self._done |= new.keys()
        await self._to.put(document, name)

    async def _blob(self, blob: Descriptor) -> None:
        async with self._free:
            source, to = self._source.entrance.address, self._to.to
            if await to.has_blob(blob):
                return
            beside = source.host == to.host
            there = await self._to.mount(blob, source) if beside else None
            if beside and there is None:
                return
            file = self._folder / blob.digest.replace(":", "-")
            try:
                await self._source.fetch(blob, file)
                await self._to.upload(blob, file, there or await self._to.begin(blob))
            finally:
                await asyncio.to_thread(file.unlink, missing_ok=True)
