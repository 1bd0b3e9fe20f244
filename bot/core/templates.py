"""Texts of the configuration that hold `${{ }}` and are needed before any promotion runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.model import Argument, RepositoryName, Stage, Variable
from bot.core.promotion import variables
from bot.errors import UserError
from bot.expressions import ExpressionError, render


def _env(repository: RepositoryName, stage: Stage, *texts: str) -> dict[str, Any]:
    """What these texts may use. Variables that none of them does are left alone: they may be made of what only a
    promotion has, its freight and the repository's secrets."""
    ctx = {"project": repository, "stage": stage.name, "repository": {"name": repository}}
    env: dict[str, Any] = {"ctx": ctx}
    if not any("vars" in text for text in texts):
        return {**env, "vars": {}}
    layers = [stage.vars, stage.template.vars if stage.template else ()]
    return {**env, "vars": variables(layers, env)}


def render_stage_text(text: str, repository: RepositoryName, stage: Stage) -> str:
    """A text that may use `ctx.stage`, `ctx.project` and the stage's variables. Raises UserError."""
    if "${" not in text:
        return text
    try:
        return str(render(text, _env(repository, stage, text)))
    except ExpressionError as error:
        raise UserError(f"Stage `{stage.name}`: `{text}` can't be evaluated: {error}") from error


def render_stage_value(value: Any, repository: RepositoryName, stage: Stage, more: Sequence[Variable] = ()) -> Any:
    """Any value that may use them, and `more` variables besides. Raises ExpressionError."""
    env = _env(repository, stage, str(value), *(str(each.value) for each in more))
    return render(value, {**env, "vars": variables([more], env, env["vars"])})


def verification_args(
    args: tuple[Argument, ...], repository: RepositoryName, stage: Stage, functions: Mapping[str, Any]
) -> dict[str, str]:
    """A stage's arguments to its analysis. Kargo's rule: each must come out as a string; empty means not given.

    A number or boolean is written as text here, where Kargo refuses it: nothing else can have been meant.
    """
    env = {**_env(repository, stage, *(str(arg.value) for arg in args)), **functions}
    given: dict[str, str] = {}
    for arg in args:
        try:
            value = render(arg.value, env)
        except ExpressionError as error:
            raise UserError(f"Stage `{stage.name}`, verification argument `{arg.name}`: {error}") from error
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is not None and not isinstance(value, str | int | float):
            raise UserError(f"Stage `{stage.name}`, verification argument `{arg.name}` is not a text but {value!r}.")
        if value not in (None, ""):
            given[arg.name] = str(value)
    return given
