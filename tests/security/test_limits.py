"""A chart that explodes, and programs that a repository would like to have run."""

import resource
import sys
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.rendering import find_programs
from bot.steps.rendering import programs
from tests.environment import required

HELM = find_programs().helm
KUSTOMIZE = find_programs().kustomize


async def template(folder: Path, text: str) -> programs.Answer:
    required(HELM, "helm is not installed")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (folder / "templates/a.yaml").write_text(text)
    environment = programs.helm_environment(folder / "home")
    return await programs.run(
        HELM, "template", "--", "release", str(folder), folder=folder, environment=environment, seconds=60
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ range until 1000000000 }}x{{ end }}",
        '{{ repeat 2000000000 "x" }}',
        '{{ $x := "xxxxxxxxxx" }}{{ range until 40 }}{{ $x = cat $x $x }}{{ end }}{{ $x }}',
    ],
)
async def test_a_chart_that_wants_all_memory_is_ended_and_told_so(text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="helm needed more than 1536 MiB of memory"):
        await template(tmp_path, text)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB
    assert largest < 2 * 1024 * 1024, "nor had it more meanwhile"


async def test_a_chart_that_includes_itself_ends(tmp_path: Path) -> None:
    answer = await template(tmp_path, '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}')
    assert answer.status == 1
    assert "nested reference" in answer.complaint or "exceeded maximum" in answer.complaint


async def test_a_program_leaves_no_enormous_file_and_no_core(tmp_path: Path) -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE)); open('x', 'wb').truncate(2**30)"
    answer = await programs.run((sys.executable, "-I", "-S", "-c"), code, folder=tmp_path, environment={})
    assert answer.output == b"(0, 0)\n"
    assert "File too large" in answer.complaint
    assert (tmp_path / "x").stat().st_size == 0


EXEC_FUNCTION = """\
apiVersion: v1
kind: Evil
metadata:
  name: evil
  annotations:
    config.kubernetes.io/function: |
      exec: {path: ./evil.sh}
"""


@pytest.mark.parametrize("kind", ["generators", "transformers", "validators"])
async def test_kustomize_runs_no_program_of_a_repository(kind: str, tmp_path: Path) -> None:
    required(KUSTOMIZE, "neither kustomize nor kubectl is installed")
    script = tmp_path / "evil.sh"
    script.write_text("#!/bin/sh\necho was here > was-here; echo 'kind: ResourceList'\n")
    script.chmod(0o755)
    (tmp_path / "evil.yaml").write_text(EXEC_FUNCTION)
    (tmp_path / "kustomization.yaml").write_text(f"{kind}: [evil.yaml]\n")

    environment = programs.helm_environment(tmp_path / "home")
    answer = await programs.run(KUSTOMIZE, "--", str(tmp_path), folder=tmp_path, environment=environment)

    assert answer.status
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("arguments", [("--post-renderer", "./evil.sh"), ("--post-renderer=./evil.sh",)])
async def test_what_a_configuration_names_is_never_taken_for_an_option(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """The steps put `--` before what users give; then helm takes it for names."""
    required(HELM, "helm is not installed")
    script = tmp_path / "evil.sh"
    script.write_text("#!/bin/sh\ntouch was-here\n")
    script.chmod(0o755)
    environment = programs.helm_environment(tmp_path / "home")
    answer = await programs.run(HELM, "template", "--", *arguments, folder=tmp_path, environment=environment)

    assert answer.status
    assert not (tmp_path / "was-here").exists()
