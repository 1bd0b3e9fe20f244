"""The format of env files."""

from pathlib import Path

import pytest

from bot.env_file import read_env_file
from bot.errors import UserError


def fault(env_file: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_env_file(env_file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# comment\n\n  \nA=1", {"A": "1"}),
        ("A = 1 \r\nexport B=2\r\n", {"A": "1", "B": "2"}),
        ("A=a b # c\nB=a#b\nC= # nothing\nD=#d", {"A": "a b", "B": "a#b", "C": "", "D": "#d"}),
        ('A=\'a # \\n\'\nB="a # \\n\\"\\\\" # c\n', {"A": "a # \\n", "B": 'a # \n"\\'}),
        ("A=\"one\ntwo\"\nB='one\ntwo'", {"A": "one\ntwo", "B": "one\ntwo"}),
        ("\ufeffA=1\nA=2", {"A": "2"}),
    ],
)
def test_an_env_file_is_read_as_shells_and_compose_write_it(text: str, values: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "bot.env"
    file.write_bytes(text.encode())
    assert read_env_file(file) == values


@pytest.mark.parametrize(
    "text", ["A=1\nhunter2\n", "A=1\nB='hunter2", 'A=1\nB="hunter2', "A=1\n9=hunter2", "A=1\n=hunter2"]
)
def test_a_line_that_is_no_entry_is_named_by_number_and_not_shown(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bot.env"
    file.write_text(text)
    message = fault(file)
    assert "line 2" in message
    assert "hunter2" not in message


def test_an_env_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "No such file" in fault(tmp_path / "none.env")
    binary = tmp_path / "binary.env"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in fault(binary)
