"""Reading YAML that somebody else wrote as plain data, for the steps that compute with it."""

from typing import Any, ClassVar

import yaml
from yaml.constructor import SafeConstructor

from bot.core.plain_yaml import PLAIN
from bot.errors import UserError
from bot.steps.editing.yaml_nodes import compose, refuse_bombs


class _Constructor(SafeConstructor):
    """Dates and times stay texts, as in JSON: an expression has no use for anything else."""

    yaml_constructors: ClassVar = {**SafeConstructor.yaml_constructors, **PLAIN}


def load_yaml(text: str, path: str) -> Any:
    """The first document; None for nothing. Raises UserError, naming `path`, for what can't or must not be read."""
    root = compose(text.removeprefix("\ufeff"), path)
    if root is None:
        return None
    refuse_bombs(root, path)
    try:
        return _Constructor().construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} can't be read: {' '.join(str(error).split())}") from error
