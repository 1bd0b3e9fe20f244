"""What steps may do with the artifacts that OCI registries hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was copied: `image` is the destination with its tag as it was asked for, `digest` what is there now."""

    image: str
    digest: str
    tag: str


@dataclass(frozen=True, slots=True)
class Annotations:
    """What is added to a copy: to the index at its top, if it is one, and to every image manifest."""

    index: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Login:
    """What a program is to log in with: a name and a password, or an identity token; without any it is nobody.

    `advice` is what a person can do when the server does not let it in.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    advice: str = ""


class Artifacts(Protocol):
    """OCI registries with one repository's logins. References are written `repository:tag` or `repository@sha256:…`,
    with or without `oci://`. What a person can mend is a `UserError`, what passes by itself a `Retry`."""

    async def download(
        self, reference: str, target: Path, *, size_limit: int, media_type: str = "", verify_tls: bool = True
    ) -> None:
        """Write a layer to the file `target`: the first one, or the first one of this media type.

        Of an index, the image for linux/amd64 is meant. A layer of more than `size_limit` bytes is refused. After an
        error there may be a part of it in the file.
        """
        ...

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
        """Have the destination's tag stand for what the source is, with all that belongs to it; an index with all its
        children. What is there already is not sent again.

        Layers pass through a folder within `scratch`. Between repositories they may have `size_limit` bytes together.
        """
        ...

    async def login(self, url: str) -> Login:
        """For a chart at an OCI registry, `oci://registry/repository`, or a chart repository, `https://…`.

        Nobody for an address that is read in more ways than one, and for one that holds a login itself. Raises
        UserError where there is a login, and the address would show it to all that are on the way.
        """
        ...
