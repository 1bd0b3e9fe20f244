"""References to artifacts, as people write them in steps.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
"""

from dataclasses import dataclass

from bot.core.urls import RegistryAddress, image_repository, registry_address
from bot.errors import UserError
from bot.registry.manifests import DIGEST, TAG


@dataclass(frozen=True, slots=True)
class Reference:
    """`text` is what was written, without `oci://`. With a digest, the tag has no meaning; one of them is there."""

    text: str
    address: RegistryAddress
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """What the registry is asked for."""
        return self.digest or self.tag


def read_reference(written: str) -> Reference:
    """Raises UserError for what is no reference, and for one without tag or digest."""
    text = written.removeprefix("oci://")
    repository = image_repository(text)
    tag, at, digest = text.removeprefix(repository).removeprefix(":").partition("@")
    if text != written:
        tag = tag.replace(
            "+", "_"
        )  # https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes
    try:
        address = registry_address(repository)
    except ValueError as error:
        raise UserError(str(error)) from error
    if not tag and not digest:
        raise UserError(f"{written!r} names neither a tag nor a digest; write it like {repository}:1.0.0")
    if (tag and TAG.fullmatch(tag) is None) or (at and DIGEST.fullmatch(digest) is None):
        raise UserError(
            f"{written!r} is not a reference to an artifact; write it like ghcr.io/acme/service:1.0.0 "
            "or ghcr.io/acme/service@sha256:…"
        )
    return Reference(text, address, tag, digest)
