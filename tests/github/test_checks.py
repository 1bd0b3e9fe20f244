"""Check runs: within GitHub's limits, annotations in parts, and never twice."""

from datetime import UTC, datetime

import pytest

from bot.core.facts import Annotation, CheckRun, CheckStatus, Conclusion
from bot.errors import Broken

REPO = "/repos/acme/shop"
HEAD = "a" * 40


def run(number, name="promotion/test", **changes):
    base = {"id": number, "name": name, "head_sha": HEAD, "status": "completed", "conclusion": "success", "output": {}}
    return base | changes


async def test_our_newest_check_run_of_each_name(repository, github):
    runs = [run(1), run(3, conclusion="failure"), run(2, "verification/test")]
    github.on(f"GET {REPO}/commits/{HEAD}/check-runs", {"total_count": 3, "check_runs": runs})
    found = await repository.check_runs(HEAD)
    assert {one.name: one.id for one in found} == {"promotion/test": 3, "verification/test": 2}
    assert github.requests[0].query == {"filter": "latest", "app_id": "7", "per_page": "100"}


CHECK = CheckRun(
    name="promotion/test",
    head_sha=HEAD,
    status=CheckStatus.COMPLETED,
    conclusion=Conclusion.FAILURE,
    external_id="freight",
    title="t" * 300,
    summary="é" * 40_000,
    text="",
    details_url="https://example.com",
    actions=(("Try the whole thing again", "d" * 50, "retry"),) * 4,
    started_at=datetime(2026, 11, 20, 9, 0, 0, 5, tzinfo=UTC),
    completed_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
)


async def test_a_check_run_is_created_within_githubs_limits(repository, github):
    github.on(f"POST {REPO}/check-runs", run(9, title="x"), status=201)
    stored = await repository.put_check_run(CHECK)
    assert (stored.id, stored.actions) == (9, CHECK.actions)
    body = github.requests[0].body
    output = body.pop("output")
    assert len(output["title"]) == 255
    assert len(output["summary"].encode()) <= 65_535
    assert set(output) == {"title", "summary"}
    assert (
        body.pop("actions")
        == [{"label": "Try the whole thing…", "description": "d" * 39 + "…", "identifier": "retry"}] * 3
    )
    assert body == {
        "name": "promotion/test",
        "head_sha": HEAD,
        "status": "completed",
        "conclusion": "failure",
        "external_id": "freight",
        "details_url": "https://example.com",
        "started_at": "2026-11-20T09:00:00Z",
        "completed_at": "2026-11-20T09:30:00Z",
    }


async def test_a_check_run_without_texts_has_no_output(repository, github):
    github.on(f"PATCH {REPO}/check-runs/9", run(9))
    await repository.put_check_run(CheckRun("x", HEAD, CheckStatus.QUEUED, None, id=9))
    assert github.requests[0].body == {"name": "x", "status": "queued", "external_id": "", "actions": []}


async def test_a_button_github_would_refuse_is_ours_to_mend(repository):
    with pytest.raises(Broken, match="has not 1 to 20 characters"):
        await repository.put_check_run(CheckRun("x", HEAD, CheckStatus.QUEUED, None, actions=(("a", "b", "c" * 21),)))


def annotated(count, **changes):
    notes = tuple(Annotation(".promotion.yaml", n, 3, "failure", f"note {n}", "title") for n in range(count))
    return CheckRun(
        "promotion/config", HEAD, CheckStatus.COMPLETED, Conclusion.FAILURE, annotations=notes, title="Bad", **changes
    )


def sent_notes(github):
    return [[note["message"] for note in one.body.get("output", {}).get("annotations", [])] for one in github.requests]


async def test_many_annotations_are_sent_in_parts(repository, github):
    github.on(f"POST {REPO}/check-runs", run(9), status=201)
    github.on(f"PATCH {REPO}/check-runs/9", run(9))
    await repository.put_check_run(annotated(120))
    assert [len(part) for part in sent_notes(github)] == [50, 50, 20]
    first = github.requests[0].body["output"]["annotations"]
    assert first[5] == {
        "path": ".promotion.yaml",
        "start_line": 5,
        "end_line": 5,
        "start_column": 3,
        "end_column": 3,
        "annotation_level": "failure",
        "message": "note 5",
        "title": "title",
    }
    assert first[0]["start_line"] == 1, "lines count from 1"


@pytest.mark.parametrize(("has", "parts"), [(0, [0, 50, 10]), (50, [0, 10]), (60, [0])])
async def test_an_update_sends_only_the_annotations_that_are_missing(repository, github, has, parts):
    github.on(f"PATCH {REPO}/check-runs/9", run(9, output={"annotations_count": has}))
    await repository.put_check_run(annotated(60, id=9))
    assert [len(part) for part in sent_notes(github)] == parts
