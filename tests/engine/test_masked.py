"""What is written on GitHub has secrets masked, and reads back as it was meant, so that nothing is written for ever."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.contracts import GitHub
from bot.contracts.git import Git, Identity
from bot.contracts.github_areas import Deployments, DeploymentStatus, GitObjects
from bot.core.facts import Annotation, CheckRun, CheckStatus, Comment
from bot.core.model import CommitSha
from bot.engine.masked import Written, _Masked, _MaskedDeployments, _MaskedGit, _MaskedObjects, masked, masked_git
from bot.engine.ports import View
from bot.engine.redaction import Redactor

SHA = CommitSha("a" * 40)


class Kept:
    """A GitHub that keeps what it is given."""

    def __init__(self) -> None:
        self.check: CheckRun | None = None
        self.said: Comment | None = None
        self.bot_login = "towpath[bot]"

    async def put_check_run(self, check: CheckRun) -> CheckRun:
        self.check = check
        return check

    async def check_runs(self, sha: CommitSha) -> tuple[CheckRun, ...]:
        return (self.check,) if self.check else ()

    async def create_comment(self, number: int, body: str) -> Comment:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        self.said = Comment(1, number, self.bot_login, body, "", now, now)
        return self.said

    async def comment(self, comment_id: int) -> Comment | None:
        return self.said


async def test_texts_are_masked_there_and_as_they_were_meant_here() -> None:
    redactor, written, port = Redactor(), Written(), Kept()
    redactor.learn("t0ps3cret")
    view = masked(cast(View, port), redactor, written)
    note = Annotation("a.yaml", 1, 1, "failure", "no t0ps3cret", "t0ps3cret!")
    check = CheckRun(
        "promotion/t0ps3cret", SHA, CheckStatus.COMPLETED, None, title="t0ps3cret", summary="is t0ps3cret",
        text="t0ps3cret.", annotations=(note,),
    )  # fmt: skip

    await view.put_check_run(check)
    said = await view.create_comment(7, "It is t0ps3cret")

    assert port.check is not None
    assert port.said is not None
    assert (port.check.title, port.check.summary, port.check.text) == ("***", "is ***", "***.")
    assert port.check.annotations == (Annotation("a.yaml", 1, 1, "failure", "no ***", "***!"),)
    assert port.check.name == check.name, "names are keys, not texts"
    assert port.said.body == "It is ***"
    assert (await view.check_runs(SHA))[0].summary == check.summary
    assert said == await view.comment(1)
    assert said.body == "It is t0ps3cret"
    assert view.bot_login == "towpath[bot]", "all else is the port's"


class Telling:
    """A port of whatever kind: it remembers what each of its methods was told, and finds its areas in itself."""

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = {}

    @property
    def deployments(self) -> "Telling":
        return self

    @property
    def objects(self) -> "Telling":
        return self

    def __getattr__(self, name: str) -> Any:
        async def method(*arguments: Any, **more: Any) -> Any:
            self.told[name] = [*arguments, *more.values()]
            return self.told.get("set_status", [None, None])[1] if name == "status" else None

        return method


async def test_no_writing_method_tells_a_secret() -> None:
    redactor, port = Redactor(), Telling()
    redactor.learn("t0ps3cret")
    view, git = masked(cast(View, port), redactor, Written()), masked_git(cast(Git, port), redactor)
    said, who, status = "is t0ps3cret", Identity("t0ps3cret", "t0ps3cret@example.com"), DeploymentStatus("success")
    told = replace(status, description=said, environment_url="https://t0ps3cret/", log_url="https://x/t0ps3cret")

    await view.create_pull("head", "main", said, said)
    await view.update_pull(7, title=said, body=said)
    await view.create_comment(7, said)
    await view.update_comment(8, said)
    await view.deployments.create("main", "uat", "deploy", said, {"a": said})
    await view.deployments.set_status(9, told)
    await view.objects.write_commit(said, "tree", [SHA])
    await git.commit(Path(), said, author=who)
    await git.tag(Path(), "v1", said, tagger=who)

    assert set(port.told) == {
        "create_pull", "update_pull", "create_comment", "update_comment", "create", "set_status", "write_commit",
        "commit", "tag",
    }  # fmt: skip
    assert "t0ps3cret" not in str(port.told)
    assert all("***" in str(words) for words in port.told.values())
    assert await view.deployments.status(9) == told, "as it was meant"


@pytest.mark.parametrize(
    ("port", "its_masked"),
    [(Git, _MaskedGit), (Deployments, _MaskedDeployments), (GitObjects, _MaskedObjects)],
)
def test_no_message_of_a_commit_tag_or_deployment_goes_by(port: type, its_masked: type) -> None:
    """Whoever adds a method that writes such a text finds this test."""
    texts = {"message", "description", "status", "payload", "author", "tagger"}
    methods: Mapping[str, Any] = dict(inspect.getmembers(port, inspect.isfunction))
    writing = {name for name, one in methods.items() if texts & set(inspect.signature(one).parameters)}
    reading: Sequence[str] = ("checkout",)  # its author is that of later commits
    assert writing - set(reading)
    assert writing - set(reading) <= set(vars(its_masked))


def test_no_text_of_a_pull_request_check_or_comment_goes_by() -> None:
    """Whoever adds a method that writes such a text finds this test."""

    def writes(method: Any) -> bool:
        parameters = inspect.signature(method).parameters.values()
        return any(one.name in {"title", "body", "text", "check"} for one in parameters)

    writing = {name for name, one in inspect.getmembers(GitHub, inspect.isfunction) if writes(one)}

    assert writing >= {"create_pull", "update_pull", "create_comment", "update_comment", "put_check_run"}
    assert writing <= set(vars(_Masked))
