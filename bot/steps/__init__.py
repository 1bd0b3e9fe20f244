"""Promotion steps, one module each, listed once. What is not listed here serves those that are."""

from bot.contracts.steps import Step
from bot.steps import (
    compose_output,
    copy,
    delete,
    fail,
    file_write,
    git_clear,
    git_clone,
    git_commit,
    git_open_pr,
    git_push,
    git_wait_for_pr,
    helm_template,
    helm_update_image,
    http,
    json_parse,
    kustomize_build,
    kustomize_set_image,
    yaml_parse,
    yaml_update,
)

STEPS: tuple[Step, ...] = (
    git_clone,
    git_clear,
    git_commit,
    git_push,
    git_open_pr,
    git_wait_for_pr,
    helm_template,
    helm_update_image,
    kustomize_build,
    kustomize_set_image,
    yaml_update,
    yaml_parse,
    json_parse,
    http,
    copy,
    delete,
    file_write,
    compose_output,
    fail,
)
BY_NAME: dict[str, Step] = {step.NAME: step for step in STEPS}
