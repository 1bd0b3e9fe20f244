"""Changes that tell people nothing: they are counted, and not shown."""

import re

from bot.core.changes.fields import FieldChange

_NOISE = re.compile(
    r"""(?x)
      ^status(\.|\[|$)
    | ^metadata\.(creationTimestamp|generation|resourceVersion|uid|selfLink|managedFields)(\.|\[|$)
    | \.creationTimestamp$
    | (^|\.)caBundle$
    | \.annotations\["(checksum/[^"]*|rollme|kubectl\.kubernetes\.io/(last-applied-configuration|restartedAt))"\]$
    | \.annotations\.(checksum[\w-]*|rollme)$
    | \.labels\["(helm\.sh/chart|app\.kubernetes\.io/version)"\]$
    | \.labels\.(chart|heritage)$
    """
)
# The suffix Kustomize gives to what it generates: https://github.com/kubernetes-sigs/kustomize/blob/master/api/hasher/hasher.go
_SUFFIX = re.compile(r"^(?P<name>.+)-[bcdfghkmt2456789]{10}$")
_GENERATED = ("ConfigMap", "Secret")


def is_noise(change: FieldChange, renamed: dict[str, str]) -> bool:
    """Whether nobody wants to read this. `renamed` are the generated names, old to new."""
    if change.before in renamed and renamed[change.before] == change.after:
        return True
    return bool(_NOISE.search(change.path))


def generated_name(kind: str, name: str) -> str:
    """What a generated resource is called but for the hash of its content; "" where the name has none."""
    found = _SUFFIX.match(name) if kind in _GENERATED else None
    return found["name"] if found else ""
