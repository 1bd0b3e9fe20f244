"""`towpath import` as it is used: on a folder of anything, or on files by name."""

import io
from pathlib import Path

import pytest

from bot.cli.importing import import_
from tests.core.configurations import PLUGINS
from tests.core.test_config_import import PIPELINE


def run(*paths: Path, output: Path | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return import_(paths, output, PLUGINS, out, err), out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Manifests in many files, among others of every kind."""
    for number, each in enumerate(PIPELINE.split("---\n")):
        file = tmp_path / f"team-{number % 3}" / f"{number}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(each)
    (tmp_path / "values.yaml").write_text("stages: [build, test]\n")
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "deployment.yaml").write_text("{{- if .Values.on }}\nkind: Deployment\n{{ end }}\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "old.yaml").write_text(PIPELINE)
    return tmp_path


def test_a_folder_becomes_one_file(folder: Path) -> None:
    status, out, err = run(folder)

    assert status == 0
    assert "stages:\n  dev:\n    from: [app, flags]\n" in out
    assert err == "towpath import: 2 warehouses, 2 stages: no problems\n"


def test_files_by_name_can_go_to_a_file(folder: Path) -> None:
    source, target = folder / "all.yaml", folder / ".promotion.yaml"
    source.write_text(PIPELINE)
    status, out, _ = run(source, output=target)

    assert (status, out) == (0, "")
    assert target.read_text().startswith(f"# Made from {source} by `towpath import`.\n")


def test_problems_are_told_and_the_rest_is_written(folder: Path) -> None:
    source = folder / "all.yaml"
    source.write_text(PIPELINE.replace("stages: [dev]", "stages: [dve]"))
    status, out, err = run(source)

    assert status == 1
    assert f"{source}:" in err
    assert "did you mean `dev`?" in err
    assert "  prod:\n" in out


def test_a_folder_without_manifests_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("a: b\n")
    status, out, err = run(tmp_path)

    assert (status, out) == (1, "")
    assert "no file there holds a manifest of Kargo" in err


def test_what_can_not_be_read_or_written_is_said_to_be_so(folder: Path) -> None:
    status, _, err = run(folder / "nowhere")
    assert status == 2
    assert "can't read" in err

    status, _, err = run(folder, output=folder)
    assert status == 2
    assert "can't write" in err
