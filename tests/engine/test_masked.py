"""What is written on GitHub has secrets masked, and reads back as it was meant, so that nothing is written for ever."""

import inspect
from datetime import UTC, datetime
from typing import Any, cast

from bot.contracts import GitHub
from bot.core.facts import Annotation, CheckRun, CheckStatus, Comment
from bot.core.model import CommitSha
from bot.engine.masked import Written, _Masked, masked
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


def test_no_text_of_a_pull_request_check_or_comment_goes_by() -> None:
    """Whoever adds a method that writes such a text finds this test."""

    def writes(method: Any) -> bool:
        parameters = inspect.signature(method).parameters.values()
        return any(one.name in {"title", "body", "text", "check"} for one in parameters)

    writing = {name for name, one in inspect.getmembers(GitHub, inspect.isfunction) if writes(one)}

    assert writing >= {"create_pull", "update_pull", "create_comment", "update_comment", "put_check_run"}
    assert writing <= set(vars(_Masked))
