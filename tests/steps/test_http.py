"""http: requests, criteria, outputs."""

from datetime import timedelta

import pytest

from bot.contracts.metrics import HttpAnswer
from bot.contracts.steps import StepStatus, longest_run
from bot.errors import UserError
from bot.steps import BY_NAME
from tests.steps.conftest import NOW

JSON = {"Content-Type": "application/json; charset=utf-8", "X-Request-Id": "7"}
URL = "https://service.example.com/health?a=1"


def answers(run, status: int = 200, body: bytes = b'{"ready": true, "list": [1, 2]}', headers=JSON) -> None:
    run.http.answers.append(HttpAnswer(status, headers, body))


async def test_the_request_is_as_configured(run):
    answers(run)
    await run(
        "http",
        {
            "url": URL,
            "method": "POST",
            "headers": [{"name": "X-A", "value": "1"}, {"name": "X-A", "value": "2"}],
            "queryParams": [{"name": "b", "value": "x y&z"}],
            "body": "é",
            "timeout": "1m30s",
            "insecureSkipTLSVerify": True,
        },
    )
    assert run.http.asked == [
        {
            "method": "POST",
            "url": "https://service.example.com/health?a=1&b=x+y%26z",
            "headers": [("X-A", "1"), ("X-A", "2")],
            "body": "é".encode(),
            "timeout_seconds": 90.0,
            "insecure": True,
        }
    ]


@pytest.mark.parametrize(
    ("status", "criteria", "expected"),
    [
        (200, {}, StepStatus.SUCCEEDED),
        (204, {}, StepStatus.SUCCEEDED),
        (500, {}, StepStatus.ERRORED),
        (500, {"successExpression": "response.status == 500"}, StepStatus.SUCCEEDED),
        (200, {"successExpression": "response.body.ready"}, StepStatus.SUCCEEDED),
        (200, {"successExpression": "!response.body.ready"}, StepStatus.RUNNING),
        (200, {"failureExpression": "!response.body.ready"}, StepStatus.RUNNING),
        (200, {"failureExpression": "response.body.ready"}, StepStatus.FAILED),
        (200, {"failureExpression": "true", "successExpression": "true"}, StepStatus.FAILED),
        (200, {"errorExpression": "'gone'"}, StepStatus.SUCCEEDED),
        (200, {"successExpression": "response.header('x-request-id') == '7'"}, StepStatus.SUCCEEDED),
        (200, {"successExpression": "response.headers['X-Request-Id'][0] == '7'"}, StepStatus.SUCCEEDED),
    ],
)
async def test_criteria_decide(run, status, criteria, expected):
    answers(run, status)
    assert (await run("http", {"url": URL, **criteria})).status is expected


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(None, 10), ("1.5s", 1.5), ("150ms", 0.15), ("250us", 0.00025), ("20m", 1200), ("1h", 1800), ("0s", 1800)],
)
async def test_how_long_an_answer_may_take(run, written, seconds):
    """Half an hour, where it has no limit or a longer one; the engine takes the step to hang only later."""
    assert longest_run(BY_NAME["http"]) > timedelta(minutes=30)
    answers(run)
    await run("http", {"url": URL} | ({"timeout": written} if written else {}))
    assert run.http.asked[0]["timeout_seconds"] == seconds


@pytest.mark.parametrize(("interval", "seconds"), [(None, 30), ("2m", 120), ("0s", 1), ("1ns", 1)])
async def test_while_nothing_holds_it_is_asked_again(run, interval, seconds):
    answers(run)
    config = {"url": URL, "successExpression": "false"} | ({"pollInterval": interval} if interval else {})
    assert (await run("http", config)).retry_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("name", ["x-request-id", "X-Request-Id", "X-REQUEST-ID"])
async def test_headers_are_found_however_they_were_sent(run, name):
    answers(run, headers={name: "7", "ETag": "a"})
    found = {
        "id": "response.headers['X-Request-Id'][0]",
        "tag": "response.headers.Etag[0]",
        "same": "response.header('etag')",
    }
    outputs = [{"name": key, "fromExpression": code} for key, code in found.items()]
    assert (await run("http", {"url": URL, "outputs": outputs})).output == {"id": "7", "tag": "a", "same": "a"}


async def test_outputs_are_taken_from_the_answer(run):
    answers(run)
    outputs = [
        {"name": "count", "fromExpression": "len(response.body.list)"},
        {"name": "status", "fromExpression": "response.status"},
    ]
    assert (await run("http", {"url": URL, "outputs": outputs})).output == {"count": 2, "status": 200}


@pytest.mark.parametrize(
    ("body", "headers", "kind", "expected"),
    [
        (b"plain", {}, None, {}),
        (b"", JSON, None, {}),
        (b"plain", {}, "text/plain", "plain"),
        (b"plain", {"content-type": "text/plain; charset=utf-8"}, None, "plain"),
        (b"a: [1]\non: 2024-01-01\n", {"Content-Type": "application/yaml"}, None, {"a": [1], True: "2024-01-01"}),
        (b"a: b\n", JSON, "application/yaml", {"a": "b"}),
        (b'{"a": 1}', {}, None, {"a": 1}),
        (b"[1]", {}, "application/json", [1]),
    ],
)
async def test_how_a_body_is_read(run, body, headers, kind, expected):
    answers(run, body=body, headers=headers)
    config = {"url": URL, "outputs": [{"name": "body", "fromExpression": "response.body"}]}
    assert (await run("http", config | ({"responseContentType": kind} if kind else {}))).output == {"body": expected}


@pytest.mark.parametrize(
    ("more", "body", "says"),
    [
        ({"successExpression": "response.status"}, b"{}", "`successExpression` gives 200, which is neither true nor"),
        ({"failureExpression": "response.body"}, b"{}", "`failureExpression` gives a dict, which is neither true nor"),
        ({"successExpression": "response.body.a.b"}, b"{}", "evaluating `response.body.a.b`"),
        ({"outputs": [{"name": "x", "fromExpression": "response.body.a.b.c"}]}, b"{}", "evaluating"),
        ({}, b"{", "said to be JSON"),
        ({}, b"[" * 100_000, "said to be JSON"),
        ({"responseContentType": "application/yaml"}, b"a: [", "the answer is not YAML"),
    ],
)
async def test_an_answer_that_is_not_as_expected_is_a_fault_that_may_go_away(run, more, body, says):
    answers(run, body=body)
    result = await run("http", {"url": URL, **more})
    assert (result.status, result.output) == (StepStatus.ERRORED, {})
    assert result.message.startswith("service.example.com answered 200; ")
    assert says in result.message


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"successExpression": "("}, r"evaluating `\(`"),
        ({"failureExpression": "true", "errorExpression": "("}, r"evaluating `\(`"),
        ({"outputs": [{"name": "x", "fromExpression": "1 +"}]}, r"evaluating `1 \+`"),
        ({"body": "a", "bodyFromFile": "b"}, "both `body` and `bodyFromFile`"),
        ({"bodyFromFile": "../b"}, "leads out"),
        ({"bodyFromFile": "none"}, "nothing at 'none'"),
        ({"proxy": "http://proxy.example.com"}, "`proxy` can't be used"),
    ],
)
async def test_mistakes_are_said_before_anything_is_sent(run, more, says):
    with pytest.raises(UserError, match=says):
        await run("http", {"url": URL, "method": "POST", **more})
    assert run.http.asked == []


async def test_the_address_is_not_told_whole(run):
    answers(run, 500)
    result = await run("http", {"url": "https://service.example.com/hook/s3cret?token=s3cret"})
    assert "s3cret" not in result.message


async def test_a_body_is_taken_from_a_file(run):
    answers(run)
    (run.workdir / "payload.json").write_bytes(b'{"a": "\xc3\xa9"}')
    await run("http", {"url": URL, "method": "POST", "bodyFromFile": "./payload.json"})
    assert run.http.asked[0]["body"] == b'{"a": "\xc3\xa9"}'


@pytest.mark.parametrize(
    ("expression", "because"),
    [
        ("response.body.message", "out of disk"),
        ("response.body.none.more", "`failureExpression` holds"),
        ("response.body.count", "`failureExpression` holds"),
        ("nil", "`failureExpression` holds"),
    ],
)
async def test_the_service_may_tell_why_it_failed(run, expression, because):
    answers(run, 507, b'{"message": "out of disk", "count": 1}')
    config = {"url": URL, "failureExpression": "response.status >= 500", "errorExpression": expression}
    result = await run("http", config)
    assert (result.status, result.message) == (StepStatus.FAILED, f"service.example.com answered 507: {because}")


# --- http-download ----------------------------------------------------------------------------------


async def test_a_download_goes_to_its_file(run):
    answers(run, body=b"\x00bytes")
    config = {
        "url": URL,
        "outPath": "./new/file.bin",
        "headers": [{"name": "Accept", "value": "application/gzip"}],
        "queryParams": [{"name": "b", "value": "2"}],
        "timeout": "1m",
    }
    assert (await run("http-download", config)).status is StepStatus.SUCCEEDED
    file = run.workdir / "new/file.bin"
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"\x00bytes", 0o600)
    assert [path.name for path in file.parent.iterdir()] == ["file.bin"]
    assert run.http.asked == [
        {
            "method": "GET",
            "url": "https://service.example.com/health?a=1&b=2",
            "headers": [("Accept", "application/gzip")],
            "timeout_seconds": 60.0,
            "insecure": False,
            "size_limit": 100 * 1024 * 1024,
        }
    ]


@pytest.mark.parametrize("status", [301, 404, 503])
async def test_a_download_that_fails_leaves_what_was_there(run, status):
    answers(run, status, b"sorry")
    (run.workdir / "file").write_text("before")
    config = {"url": f"{URL}&token=s3cret", "outPath": "file", "allowOverwrite": True}
    result = await run("http-download", config)
    assert (result.status, result.message) == (StepStatus.ERRORED, f"service.example.com answered {status}")
    assert (run.workdir / "file").read_text() == "before"


@pytest.mark.parametrize(
    ("path", "says"),
    [("file", "allowOverwrite"), ("folder", "is a folder"), ("../x", "leads out"), ("src/.git/config", "Git's own")],
)
async def test_a_download_goes_nowhere_else(run, path, says):
    (run.workdir / "file").write_text("before")
    (run.workdir / "folder").mkdir()
    with pytest.raises(UserError, match=says):
        await run("http-download", {"url": URL, "outPath": path})
    assert run.http.asked == []
