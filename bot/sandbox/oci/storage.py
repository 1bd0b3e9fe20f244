"""Where the sandbox's registry keeps its content: files on disk, each whole or not there.

    blobs/<algorithm>/<hex>                               content of every kind, by digest
    repositories/<name>/_blobs/<algorithm>-<hex>          empty: the repository may give this blob away
    repositories/<name>/_manifests/<algorithm>-<hex>      the manifest's media type
    repositories/<name>/_tags/<tag>                       the digest the tag stands for
    repositories/<name>/_uploads/<id>                     what of a blob has come so far

No part of a repository's name can begin with `_`, so nothing meets.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_UPLOAD = re.compile(r"[0-9a-f]{32}")


class Refused(Exception):
    """What the registry does not do, as the specification names it: `code`, the HTTP status, and why.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest or index exactly as it was pushed."""

    digest: str
    media_type: str
    body: bytes


class Storage:
    """The content under `root`, which is made when something is put there. Every call blocks, briefly."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # --- blobs --------------------------------------------------------------------------------------

    def blob(self, name: str, digest: str) -> Path:
        """The file of a blob that this repository has. Raises Refused."""
        path = self._content(digest)
        if not self._link(name, "_blobs", digest).exists() or not path.exists():
            raise Refused(404, "BLOB_UNKNOWN", f"{name} has no blob {digest}")
        return path

    def put_blob(self, name: str, content: bytes) -> str:
        """Keep a blob; its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self._content(digest)
        if not path.exists():
            _write(path, content)
        _write(self._link(name, "_blobs", digest), b"")
        return digest

    def mount(self, name: str, digest: str, source: str) -> bool:
        """Let a repository have a blob of another one; False if that has none."""
        try:
            self.blob(source, digest)
        except Refused:
            return False
        _write(self._link(name, "_blobs", digest), b"")
        return True

    def delete_blob(self, name: str, digest: str) -> None:
        """Take a blob from one repository. Raises Refused."""
        self.blob(name, digest)
        self._link(name, "_blobs", digest).unlink()

    # --- uploads ------------------------------------------------------------------------------------

    def start_upload(self, name: str) -> str:
        """Begin a blob; the upload's id."""
        upload = secrets.token_hex(16)
        _write(self._folder(name) / "_uploads" / upload, b"")
        return upload

    def uploaded(self, name: str, upload: str) -> int:
        """How many bytes have come. Raises Refused."""
        return self._upload(name, upload).stat().st_size

    @contextmanager
    def appending(self, name: str, upload: str) -> Iterator[Callable[[bytes], int]]:
        """A function that adds to an upload. Raises Refused."""
        with self._upload(name, upload).open("ab") as file:
            yield file.write

    def finish_upload(self, name: str, upload: str, digest: str) -> None:
        """Make what has come a blob, if that is its digest. Raises Refused."""
        path, target = self._upload(name, upload), self._content(digest)
        with path.open("rb") as file:
            found = hashlib.file_digest(file, digest.partition(":")[0]).hexdigest()
        if found != digest.partition(":")[2]:
            path.unlink()
            raise Refused(400, "DIGEST_INVALID", f"what was uploaded has another digest than {digest}")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        _write(self._link(name, "_blobs", digest), b"")

    def cancel_upload(self, name: str, upload: str) -> None:
        """Forget an upload. Raises Refused."""
        self._upload(name, upload).unlink()

    # --- manifests and tags -------------------------------------------------------------------------

    def put_manifest(self, name: str, reference: str, body: bytes, media_type: str) -> str:
        """Keep a manifest under its digest, and under a tag if `reference` is one; its digest. Raises Refused.

        Everything a manifest refers to must be there.
        """
        algorithm = reference.partition(":")[0] if DIGEST.fullmatch(reference) else "sha256"
        digest = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
        if DIGEST.fullmatch(reference) and digest != reference:
            raise Refused(400, "DIGEST_INVALID", f"the manifest has another digest than {reference}")
        document = _document(body)
        for part in document.get("manifests", []):
            if not self._link(name, "_manifests", _digest_of(part)).exists():
                raise Refused(404, "MANIFEST_UNKNOWN", f"{name} has no manifest {_digest_of(part)}")
        for part in [*document.get("layers", []), *([document["config"]] if "config" in document else [])]:
            if not isinstance(part, Mapping) or "urls" not in part:  # foreign layers are kept elsewhere
                self._expect_blob(name, _digest_of(part))
        declared = document.get("mediaType")
        if not self._content(digest).exists():
            _write(self._content(digest), body)
        link = self._link(name, "_manifests", digest)
        if not link.exists():
            _write(link, (declared if isinstance(declared, str) else media_type).encode())
        if not DIGEST.fullmatch(reference):
            if TAG.fullmatch(reference) is None:
                raise Refused(400, "TAG_INVALID", f"{reference!r} is not a tag")
            _write(self._folder(name) / "_tags" / reference, digest.encode())
        return digest

    def manifest(self, name: str, reference: str) -> StoredManifest:
        """The manifest of a tag or digest. Raises Refused."""
        digest = reference
        if not DIGEST.fullmatch(reference):
            tag = self._folder(name) / "_tags" / reference
            digest = tag.read_text() if TAG.fullmatch(reference) and tag.exists() else ""
        link = self._link(name, "_manifests", digest) if digest else None
        if link is None or not link.exists():
            raise Refused(404, "MANIFEST_UNKNOWN", f"{name} has no manifest {reference}")
        return StoredManifest(digest, link.read_text(), self._content(digest).read_bytes())

    def delete(self, name: str, reference: str) -> None:
        """Delete a tag, or a manifest and the tags that stand for it. Raises Refused."""
        found = self.manifest(name, reference)
        folder = self._folder(name) / "_tags"
        if not DIGEST.fullmatch(reference):
            (folder / reference).unlink()
            return
        self._link(name, "_manifests", found.digest).unlink()
        for tag in self.tags(name):
            if (folder / tag).read_text() == found.digest:
                (folder / tag).unlink()

    def tags(self, name: str) -> list[str]:
        """All tags in lexical order. Raises Refused when there is no such repository."""
        folder = self._folder(name)
        if not (folder / "_manifests").is_dir():
            raise Refused(404, "NAME_UNKNOWN", f"there is no repository {name}")
        tags = folder / "_tags"
        return sorted(_names(tags)) if tags.is_dir() else []

    def repositories(self) -> list[str]:
        """The names of all repositories that hold an image."""
        top = self.root / "repositories"
        return sorted(path.parent.relative_to(top).as_posix() for path in top.rglob("_manifests"))

    # --- places -------------------------------------------------------------------------------------

    def _folder(self, name: str) -> Path:
        if re.fullmatch(NAME, name) is None:
            raise Refused(400, "NAME_INVALID", f"{name!r} is not a repository name")
        return self.root / "repositories" / name

    def _content(self, digest: str) -> Path:
        if DIGEST.fullmatch(digest) is None:
            raise Refused(400, "DIGEST_INVALID", f"{digest!r} is not a digest")
        algorithm, _, value = digest.partition(":")
        return self.root / "blobs" / algorithm / value

    def _link(self, name: str, kind: str, digest: str) -> Path:
        return self._folder(name) / kind / "-".join(self._content(digest).parts[-2:])

    def _upload(self, name: str, upload: str) -> Path:
        path = self._folder(name) / "_uploads" / upload
        if _UPLOAD.fullmatch(upload) is None or not path.exists():
            raise Refused(404, "BLOB_UPLOAD_UNKNOWN", f"there is no upload {upload}")
        return path

    def _expect_blob(self, name: str, digest: str) -> None:
        try:
            self.blob(name, digest)
        except Refused as error:
            raise Refused(404, "MANIFEST_BLOB_UNKNOWN", error.message) from error


def chunks(path: Path, start: int, end: int) -> Generator[bytes, None, None]:
    """A part of a file, piece by piece."""
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(min(1 << 18, end - file.tell())):
            yield piece


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, also for those who read meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")
    draft.write_bytes(content)
    os.replace(draft, path)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")]


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "MANIFEST_INVALID", "the manifest is not JSON") from error
    if not isinstance(document, dict) or not ({"config", "manifests", "layers"} & document.keys()):
        raise Refused(400, "MANIFEST_INVALID", "the manifest is neither an image nor an index")
    if not all(isinstance(document.get(key, []), list) for key in ("manifests", "layers")):
        raise Refused(400, "MANIFEST_INVALID", "manifests and layers are lists")
    return document


def _digest_of(part: object) -> str:
    digest = part.get("digest") if isinstance(part, Mapping) else None
    if not isinstance(digest, str) or DIGEST.fullmatch(digest) is None:
        raise Refused(400, "MANIFEST_INVALID", "the manifest refers to something without a digest")
    return digest
