"""`towpath check` as it is used: on a folder or a file, for people, programs and GitHub Actions."""

import io
import json
from pathlib import Path

import pytest

from bot.cli.check import Format, check
from tests.core.configurations import EXAMPLE, PLUGINS

BROKEN = "warehouses: {service: {image: ghcr.io/acme/service:1.0}}\nstages:\n  uat: {frm: service}\n"


def run(path: Path, format: Format = Format.TEXT, *, explained: bool = False) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    status = check(path, format, explained, PLUGINS, out, err)
    return status, out.getvalue(), err.getvalue()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".promotion.yaml").write_text(EXAMPLE)
    return tmp_path


def test_a_clean_configuration_is_said_to_be_so(repository: Path) -> None:
    assert run(repository) == (0, "1 warehouse, 3 stages: no problems\n", "")


def test_a_problem_is_shown_with_its_line_and_a_mark_under_it(repository: Path) -> None:
    file = repository / ".promotion.yaml"
    file.write_text(BROKEN)
    status, out, _ = run(repository)

    assert status == 1
    assert out.splitlines() == [
        f"{file}:1:31: warning: `:1.0` in repoURL is left out: a warehouse watches all tags of `ghcr.io/acme/service`; "
        "remove it, and use `constraint` to choose among them [tag-in-repo-url]",
        "    warehouses: {service: {image: ghcr.io/acme/service:1.0}}",
        "                                  ^",
        f"{file}:3:9: error: unknown key `frm`; did you mean `from`? [unknown-key]",
        "      uat: {frm: service}",
        "            ^",
        "1 error and 1 warning",
    ]


def test_warnings_alone_are_clean(repository: Path) -> None:
    (repository / ".promotion.yaml").write_text(BROKEN.replace("frm", "from"))
    status, out, _ = run(repository)

    assert status == 0
    assert out.endswith("1 warehouse, 1 stage: 1 warning\n")


def test_json_is_one_list_of_problems(repository: Path) -> None:
    assert run(repository, Format.JSON) == (0, "[]\n", "")

    (repository / ".promotion.yaml").write_text(BROKEN)
    status, out, _ = run(repository, Format.JSON)

    assert status == 1
    assert json.loads(out)[1] == {
        "file": str(repository / ".promotion.yaml"),
        "line": 3,
        "column": 9,
        "severity": "error",
        "code": "unknown-key",
        "message": "unknown key `frm`; did you mean `from`?",
    }


def test_github_gets_annotations(tmp_path: Path) -> None:
    folder = tmp_path / "a,b:c"
    folder.mkdir()
    (folder / ".promotion.yaml").write_text('stages: {uat: {from: "100%"}}\n')
    status, out, _ = run(folder, Format.GITHUB)

    file = str(folder / ".promotion.yaml").replace(":", "%3A").replace(",", "%2C")
    expected = f"::error file={file},line=1,col=22,title=unknown-source::there is no warehouse and no stage `100%25`"
    assert status == 1
    assert out.startswith(expected)


def test_explain_prints_the_long_form_which_is_clean_again(repository: Path) -> None:
    status, out, _ = run(repository, explained=True)
    assert status == 0
    assert "- uses: helm-template" in out

    (repository / ".promotion.yaml").write_text(out)
    assert run(repository)[0] == 0
    assert run(repository, explained=True)[1] == out


def test_explain_keeps_warnings_as_remarks_and_tells_errors_instead(repository: Path) -> None:
    file = repository / ".promotion.yaml"
    file.write_text(BROKEN.replace("frm", "from"))
    status, out, _ = run(repository, explained=True)
    assert status == 0
    assert out.startswith(f"# {file}:1:31: warning: ")
    assert run_text(repository, out) == 0

    file.write_text(BROKEN)
    status, out, _ = run(repository, explained=True)
    assert status == 1
    assert "unknown key `frm`" in out


def run_text(folder: Path, text: str) -> int:
    (folder / ".promotion.yaml").write_text(text)
    return run(folder)[0]


def test_included_files_are_read_from_beside_the_file(repository: Path) -> None:
    (repository / ".promotion" / "teams").mkdir(parents=True)
    (repository / ".promotion" / "teams" / "a.yaml").write_text("stages: {extra: {from: prdo}}")
    (repository / ".promotion.yaml").write_text("include: .promotion/teams/*.yaml\n" + EXAMPLE)
    status, out, _ = run(repository)

    assert status == 1
    assert out.startswith(
        f"{repository}/.promotion/teams/a.yaml:1:24: error: there is no warehouse and no stage `prdo`"
    )


def test_any_file_can_be_checked_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(EXAMPLE)

    assert run(file)[0] == 0


@pytest.mark.parametrize("name", ["nothing.yaml", "folder"])
def test_what_can_not_be_read_is_said_to_be_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    status, out, err = run(tmp_path / name)

    assert (status, out) == (2, "")
    assert err.startswith("towpath check: can't read ")
    assert "No such file or directory" in err


def test_text_that_is_no_text_is_a_problem_not_a_failure(tmp_path: Path) -> None:
    (tmp_path / ".promotion.yaml").write_bytes(b"stages: \xff")
    status, out, _ = run(tmp_path)

    assert status == 1
    assert "this is not UTF-8 text" in out
