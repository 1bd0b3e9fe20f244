"""What the README says of commands, steps, settings and the rest is what the code says."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from bot.app import PLUG_INS
from bot.settings import markdown_table

README = Path(__file__).parent.parent / "README.md"


class PlugIn(Protocol):
    NAME: str
    HELP: str


def listed(head: tuple[str, str], plugins: Sequence[PlugIn], name: Callable[[PlugIn], str]) -> str:
    names = [name(one).replace("|", "\\|") for one in plugins]  # a bar would end the cell, in code too
    rows = [f"| `{shown}` | {one.HELP} |" for shown, one in zip(names, plugins, strict=True)]
    return "\n".join([f"| {head[0]} | {head[1]} |", "|---|---|", *rows]) + "\n"


def sections() -> dict[str, str]:
    """Every generated part of the README, by its marker."""
    return {
        "commands": listed(("Command", "What it does"), [*PLUG_INS.commands.values()], lambda one: one.USAGE),
        "steps": listed(("Step", "What it does"), [*PLUG_INS.steps.values()], lambda one: one.NAME),
        "subscriptions": listed(("Kind", "What it finds"), [*PLUG_INS.subscriptions.values()], lambda one: one.NAME),
        "receivers": listed(("Sender", "What it tells of"), [*PLUG_INS.senders.values()], lambda one: one.NAME),
        "providers": listed(("Provider", "What it measures"), [*PLUG_INS.providers.values()], lambda one: one.NAME),
        "settings": markdown_table(),
    }


def filled(text: str) -> str:
    for name, content in sections().items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = pattern.sub(lambda found, content=content: f"{found[1]}{content}{found[2]}", text)
    return text


@pytest.mark.parametrize("name", sections())
def test_the_readme_says_what_the_code_says(name: str) -> None:
    """Run `python -m tests.test_docs` to write the tables anew."""
    text = README.read_text()

    assert f"<!-- {name} -->\n{sections()[name]}<!-- /{name} -->" in text


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
