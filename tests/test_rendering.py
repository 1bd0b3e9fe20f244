"""The programs that render are found wherever they usually are."""

import subprocess
from pathlib import Path

from bot.rendering import find_programs


def test_helm_and_kustomize_are_found_and_run() -> None:
    programs = find_programs()
    version = subprocess.run([*programs.helm, "version", "--short"], check=True, capture_output=True, text=True).stdout
    assert version.startswith("v3.")
    assert programs.kustomize[-1] in {"build", "kustomize"}
    assert subprocess.run([*programs.kustomize, "--help"], check=True, capture_output=True).stdout


def test_a_folder_of_tools_is_looked_into_last(tmp_path: Path) -> None:
    tool = tmp_path / "kustomize"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    programs = find_programs(tmp_path)
    assert programs.kustomize in {(str(tool), "build"), find_programs().kustomize}
    assert programs.helm == find_programs().helm
