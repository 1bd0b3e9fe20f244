"""`towpath graph` as it is used."""

import io
import json
from pathlib import Path

import pytest

from bot.cli.graph import Picture, graph
from tests.core.configurations import EXAMPLE, PLUGINS


def run(path: Path, picture: Picture = Picture.MERMAID, output: Path | None = None) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return graph(path, picture, output, PLUGINS, out, err), out.getvalue(), err.getvalue()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".promotion.yaml").write_text(EXAMPLE)
    return tmp_path


@pytest.mark.parametrize(
    ("picture", "beginning"), [(Picture.MERMAID, "flowchart LR\n"), (Picture.SVG, "<svg "), (Picture.JSON, "{\n")]
)
def test_a_pipeline_is_drawn(repository: Path, picture: Picture, beginning: str) -> None:
    status, out, err = run(repository, picture)

    assert (status, err) == (0, "")
    assert out.startswith(beginning)


def test_a_picture_can_be_written_to_a_file(repository: Path) -> None:
    target = repository / "graph.json"

    assert run(repository / ".promotion.yaml", Picture.JSON, target) == (0, "", "")
    assert [stage["name"] for stage in json.loads(target.read_text())["stages"]] == ["test", "uat", "prod"]


def test_what_is_wrong_is_told_instead(repository: Path) -> None:
    (repository / ".promotion.yaml").write_text("stages: {uat: {frm: x}}")
    status, out, err = run(repository)

    assert (status, out) == (1, "")
    assert "unknown key `frm`" in err


def test_what_can_not_be_read_or_written_is_said_to_be_so(repository: Path) -> None:
    status, _, err = run(repository / "nowhere")
    assert status == 2
    assert "can't read" in err

    status, _, err = run(repository, output=repository / "no" / "where.svg")
    assert status == 2
    assert "can't write" in err
