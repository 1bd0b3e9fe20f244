"""Manifests and indexes byte by byte, with all they refer to: what a copy is made of.

https://github.com/opencontainers/image-spec/blob/main/manifest.md, and image-index.md beside it
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.contracts.registry import Annotations
from bot.registry.manifests import DIGEST, INDEXES, MANIFESTS, Malformed, read_object

# Layers that are at no registry: https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers
_ELSEWHERE = ("application/vnd.docker.image.rootfs.foreign.", "application/vnd.oci.image.layer.nondistributable.")
_MOST_PARTS = 1000
# By which an attestation says which child of the index it is about.
# https://docs.docker.com/build/metadata/attestations/attestation-storage/
_ABOUT = "vnd.docker.reference.digest"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content. `platform` is `os/arch[/variant]`, "" where none is told."""

    digest: str
    size: int
    media_type: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest, or an index with the documents it lists: `children`, in the order of `listed`.

    `blobs` are the config and the layers that are kept at registries; `layers` all layers.
    """

    body: bytes
    media_type: str
    digest: str
    blobs: tuple[Descriptor, ...] = ()
    layers: tuple[Descriptor, ...] = ()
    listed: tuple[Descriptor, ...] = ()
    children: tuple["Document", ...] = ()

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEXES

    def all_blobs(self) -> Iterator[Descriptor]:
        """Those of the children, too."""
        yield from self.blobs
        for child in self.children:
            yield from child.all_blobs()


def read_document(body: bytes, content_type: str, digest: str) -> Document:
    """A document without its children. `content_type` is what the registry calls it. Raises Malformed."""
    data = read_object(body)
    kind = data.get("mediaType") or content_type.partition(";")[0].strip()
    if kind not in (*INDEXES, *MANIFESTS):
        raise Malformed(f"its media type is {str(kind)[:80]!r}, which is none of an image, a chart or an index")
    # What is read as one by some and as the other by others is neither (CVE-2021-41190).
    if ("manifests" in data) is not (kind in INDEXES) or ("layers" in data or "config" in data) is not (
        kind in MANIFESTS
    ):
        raise Malformed("it does not say plainly whether it is an image or an index")
    if kind in INDEXES:
        return Document(body, kind, digest, listed=_descriptors(data["manifests"]))
    layers = _descriptors(data.get("layers") or [])
    kept = (layer for layer in layers if not layer.media_type.startswith(_ELSEWHERE))
    return Document(body, kind, digest, (*_descriptors([data.get("config")]), *kept), layers)


def annotated(document: Document, annotations: Annotations) -> Document:
    """The same with these annotations added or replaced, and with the digests that follow from that.

    An index passes those for manifests on to its images, not to an index within it, as in Kargo:
    https://docs.kargo.io/user-guide/reference-docs/promotion-steps/oci-push
    """
    if not document.is_index:
        return _written(document, annotations.manifest, {})
    of_images = Annotations(manifest=annotations.manifest)
    children = tuple(child if child.is_index else annotated(child, of_images) for child in document.children)
    changed = {
        before.digest: after
        for before, after in zip(document.children, children, strict=True)
        if before.digest != after.digest
    }
    return replace(_written(document, annotations.index, changed), children=children)


def _written(document: Document, annotations: Mapping[str, str], changed: Mapping[str, Document]) -> Document:
    data = dict(read_object(document.body))
    before = data.get("annotations")
    noted = {**(before if isinstance(before, Mapping) else {}), **annotations}
    if not changed and (not annotations or noted == before):
        return document  # byte by byte as it is
    if annotations:
        data["annotations"] = noted
    if changed:
        data["manifests"] = [_following(entry, changed) for entry in data["manifests"]]
    body = json.dumps(data, separators=(",", ":")).encode()
    return replace(document, body=body, digest=f"sha256:{hashlib.sha256(body).hexdigest()}")


def _following(entry: Mapping[str, Any], changed: Mapping[str, Document]) -> dict[str, Any]:
    """An entry of an index after the change of what it stands for."""
    followed = dict(entry)
    if child := changed.get(entry["digest"]):
        followed |= {"digest": child.digest, "size": len(child.body)}
        followed.pop("data", None)  # a copy of the content as it was
    notes = entry.get("annotations")
    if isinstance(notes, Mapping) and isinstance(notes.get(_ABOUT), str) and (about := changed.get(notes[_ABOUT])):
        followed["annotations"] = {**notes, _ABOUT: about.digest}
    return followed


def _descriptors(entries: object) -> tuple[Descriptor, ...]:
    if not isinstance(entries, list):
        raise Malformed("it has something else where its parts should be listed")
    if len(entries) > _MOST_PARTS:
        raise Malformed(f"it has {len(entries)} parts, more than {_MOST_PARTS}")
    return tuple(_descriptor(entry) for entry in entries)


def _descriptor(entry: object) -> Descriptor:
    if not isinstance(entry, Mapping):
        raise Malformed("one of its parts is not described")
    digest, size, kind = entry.get("digest"), entry.get("size"), entry.get("mediaType")
    if not isinstance(digest, str) or DIGEST.fullmatch(digest) is None:
        raise Malformed("it refers to something by a digest that is none")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 60:
        raise Malformed(f"it does not tell the size of {digest}")
    platform = entry.get("platform")
    named = [platform.get(key) for key in ("os", "architecture", "variant")] if isinstance(platform, Mapping) else []
    return Descriptor(
        digest, size, kind if isinstance(kind, str) else "", "/".join(x for x in named if isinstance(x, str) and x)
    )
