"""Small texts make small work."""

import time

import pytest
import yaml

from bot.core.plain_yaml import PlainLoader

MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:30", "1:30"),
        ("-190:20:30", "-190:20:30"),
        ("1:30.5", "1:30.5"),
        ("2026-01-02", "2026-01-02"),
        ("2026-13-99", "2026-13-99"),
        ("0o14", "0o14"),
        ("014", 12),
        ("1_000", 1000),
        ("1.5", 1.5),
        (".inf", float("inf")),
        ("{<<: {a: 1, b: 2}, b: 3}", {"a": 1, "b": 3}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert yaml.load(text, Loader=PlainLoader) == value  # noqa: S506  # it is a safe one


@pytest.mark.parametrize(("text", "says"), [(MERGES, "too large a mapping"), ("9" * 5000, "is too large")])
def test_what_is_refused(text: str, says: str) -> None:
    started = time.process_time()
    with pytest.raises(yaml.YAMLError, match=says):
        yaml.load(text, Loader=PlainLoader)  # noqa: S506  # it is a safe one
    assert time.process_time() - started < 10


def test_what_looks_like_a_time_is_no_enormous_number() -> None:
    """To the base of 60 this has a million and a half digits, each of them multiplied with all before."""
    text = ":".join(["59"] * 1_000_000)
    assert yaml.load(text, Loader=PlainLoader) == text  # noqa: S506  # it is a safe one
