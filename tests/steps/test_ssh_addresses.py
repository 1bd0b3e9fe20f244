"""What steps make of addresses for SSH: the pipeline's own repository, and bases that are not fetched."""

from dataclasses import replace

import pytest

from bot.contracts.steps import RepositoryInfo
from bot.core.model import RepositoryName
from bot.errors import UserError
from bot.steps.workspace import is_own_repository


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("git@github.example.com:acme/config.git", True),
        ("ssh://git@github.example.com/Acme/config", True),
        ("https://github.example.com/acme/config", True),
        ("git@github.example.com:acme/other.git", False),
        ("git@gitlab.example.com:acme/config.git", False),
        ("ssh://git@github.example.com:2222/acme/config.git", False),
    ],
)
def test_the_pipelines_own_repository_is_known_by_ssh_too(run, url, own):
    repository = RepositoryInfo(RepositoryName("acme/config"), "https://github.example.com/acme/config.git", "main")
    assert is_own_repository(replace(run.context, repository=repository), url) is own


@pytest.mark.parametrize("base", ["ssh://git@git.example.com/acme/base.git", "git@git.example.com:acme/base.git"])
async def test_kustomize_fetches_no_base_by_ssh_and_says_what_to_do(run, base):
    (run.workdir / "uat").mkdir()
    (run.workdir / "uat/kustomization.yaml").write_text(f"resources: ['{base}']\n")
    with pytest.raises(UserError, match="fetches nothing by SSH here: check the base out by a git-clone step"):
        await run("kustomize-build", {"path": "uat", "outPath": "out.yaml"})
