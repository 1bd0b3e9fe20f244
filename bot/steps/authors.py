"""Who commits are by, as git-clone and git-commit are told."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.git import Identity
from bot.contracts.schema import Schema
from bot.errors import UserError
from bot.steps.shapes import MAYBE, TEXT, record, told

AUTHOR: Schema = record(
    "name email", name=TEXT, email=TEXT, signingKey=told(MAYBE, "Refused: github-push makes signed commits.")
)


def author_of(step: str, config: Mapping[str, Any]) -> Identity | None:
    """The `author` of a step's configuration; None where it names none. Raises UserError for one who would sign."""
    author = config.get("author")
    if author is None:
        return None
    if author.get("signingKey"):
        raise UserError(
            f"{step} takes no `signingKey`: a private key has no place in a configuration; leave it out, and push by "
            "github-push, whose commits GitHub signs"
        )
    return Identity(author["name"], author["email"])
