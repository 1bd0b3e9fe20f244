"""Tiny but valid images, made directly in the registry's storage."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.oci.storage import Storage

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def push_image(
    storage: Storage,
    repository: str,
    tag: str,
    *,
    created: datetime | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    platforms: Sequence[str] = ("linux/amd64",),
    files: Mapping[str, bytes] | None = None,
) -> str:
    """Put an image into a repository under a tag; its digest.

    Several `platforms` (`os/architecture[/variant]`) make an index. `files` are what the image holds, by default one
    that names repository and tag. The same arguments make the same digest. Nobody is told: `routes(on_push=…)` tells
    of pushes that come over HTTP.
    """
    layer = _layer(files if files is not None else {"version": f"{repository}:{tag}\n".encode()})
    images = [_image(storage, repository, platform, layer, created, labels, annotations) for platform in platforms]
    if len(images) == 1:
        return storage.put_manifest(repository, tag, images[0], MANIFEST)
    entries = []
    for platform, body in zip(platforms, images, strict=True):
        digest = storage.put_manifest(repository, f"sha256:{hashlib.sha256(body).hexdigest()}", body, MANIFEST)
        described = {"mediaType": MANIFEST, "digest": digest, "size": len(body), "platform": _platform(platform)}
        entries.append(described)
    index: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    if annotations:
        index["annotations"] = dict(annotations)
    return storage.put_manifest(repository, tag, _json(index), INDEX)


def _image(
    storage: Storage,
    repository: str,
    platform: str,
    layer: bytes,
    created: datetime | None,
    labels: Mapping[str, str] | None,
    annotations: Mapping[str, str] | None,
) -> bytes:
    """Keep config and layer; the manifest."""
    config = {
        **_platform(platform),
        "config": {"Labels": dict(labels or {})},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    if created is not None:
        config["created"] = created.astimezone(UTC).isoformat().replace("+00:00", "Z")
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(storage, repository, _json(config), CONFIG),
        "layers": [_descriptor(storage, repository, gzip.compress(layer, mtime=0), LAYER)],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return _json(manifest)


def _descriptor(storage: Storage, repository: str, content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": storage.put_blob(repository, content), "size": len(content)}


def _platform(platform: str) -> dict[str, Any]:
    return dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))


def _layer(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
