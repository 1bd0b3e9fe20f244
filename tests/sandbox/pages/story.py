"""A repository in the middle of a promotion, told through REST: what the pages are looked at with."""

from __future__ import annotations

from typing import Any

from tests.sandbox.driver import GitHub

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><u>bold"

MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {name: service}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: service
          image: registry.example/acme/service:%s
"""
README = """# Service

What runs where is said in `out/stages`. See #1 and ask @maintainer.

| stage | after |
| --- | --- |
| test | |
| uat | test |
"""
BODY = """<!-- towpath:record v1 eyJzdGFnZSI6InRlc3QifQ== -->
Brings **service 1.1.0** into `test`, as asked in #1 by @maintainer.

| artifact | from | to |
| --- | --- | --- |
| `acme/service` | 1.0.0 | **1.1.0** |
| chart `service` | 0.3.1 | 0.3.1 |

<details>
<summary>What happens next</summary>

1. Somebody merges this.
2. The stage is *verified*.

</details>

- [x] rendered
- [ ] verified
"""
SUMMARY = """| | gate | because |
| --- | --- | --- |
| ✓ | upstream | verified in `test` |
| ✓ | window | no freeze |

Nobody but people merges this."""
FAILED = """Metric `greeting` wanted `result == "Hello Audience!"` and got:

```json
{"message": "Hello ...?", "version": "1.1.0"}
```
"""


async def tell(github: GitHub) -> str:
    """Three pull requests (1.0.0 landed and is verified, 1.1.0 open, one closed) and an issue; the API path."""
    repo = await github.repo("service-cicd", description="What runs in which stage", private=True)
    owner, maintainer, bot = github.user("owner"), github.user("maintainer"), await github.bot()
    for name, color, about in (
        ("promotion", "0e8a16", "A promotion by Towpath"),
        ("stage/test", "bfd4f2", ""),
        ("stage/uat", "fbca04", ""),
    ):
        (await owner.post(f"{repo}/labels", {"name": name, "color": color, "description": about})).ok(201)
    await github.file(repo, "README.md", README)
    issue = {"title": "Please bring 1.1.0 to test", "body": "It has the new greeting.\n\ncc @owner"}
    (await github.user("writer").post(f"{repo}/issues", issue)).ok(201)
    await landed(github, repo, bot)
    await github.file(repo, "out/stages/test/manifests.yaml", MANIFEST % "1.0.0")
    await github.file(repo, "chart/values.yaml", "".join(f"key{n}: {n}\n" for n in range(6)))
    await github.file(repo, "out/stages/test/manifests.yaml", MANIFEST % "1.1.0", branch="promotion/test")
    await github.file(repo, "out/stages/test/big.yaml", "".join(f"line: {n}\n" for n in range(900)), "promotion/test")
    head = await github.file(repo, "out/stages/test/lock.json", '{"version": "1.1.0"}\n', branch="promotion/test")
    made = {"title": "Promote service 1.1.0 to test", "head": "promotion/test", "base": "main", "body": BODY}
    pull = (await bot.post(f"{repo}/pulls", made)).ok(201)["number"]
    (await bot.post(f"{repo}/issues/{pull}/labels", {"labels": ["promotion", "stage/test"]})).ok()
    await report(bot, repo, head, "promotion/test", "success", "service 1.1.0 may enter test", SUMMARY)
    running = {"name": "lint", "head_sha": head, "status": "in_progress", "output": {"title": "Reading", "summary": ""}}
    (await bot.post(f"{repo}/check-runs", running)).ok(201)
    state = {
        "state": "success",
        "context": "ci/build",
        "description": "Built in 12 s",
        "target_url": "https://x.example",
    }
    (await maintainer.post(f"{repo}/statuses/{head}", state)).ok(201)
    asked = (await maintainer.post(f"{repo}/issues/{pull}/comments", {"body": "/promote uat"})).ok(201)["id"]
    (await bot.post(f"{repo}/issues/comments/{asked}/reactions", {"content": "eyes"})).ok(201)
    refusal = "service 1.1.0 may not enter `uat` now:\n* **upstream**: it is not verified in `test`. Merge #3 first."
    (await bot.post(f"{repo}/issues/{pull}/comments", {"body": refusal})).ok(201)
    await github.file(repo, "notes.txt", "never mind\n", branch="idea")
    idea = (await github.user("writer").post(f"{repo}/pulls", {"title": HOSTILE, "head": "idea", "base": "main"})).ok(
        201
    )
    (await maintainer.patch(f"{repo}/pulls/{idea['number']}", {"state": "closed"})).ok()
    return repo


async def landed(github: GitHub, repo: str, bot: Any) -> None:
    """1.0.0 is merged into `uat`, where its verification fails."""
    await github.file(repo, "out/stages/uat/manifests.yaml", MANIFEST % "1.0.0", branch="promotion/uat")
    made = {"title": "Promote service 1.0.0 to uat", "head": "promotion/uat", "base": "main", "body": "As asked."}
    pull = (await bot.post(f"{repo}/pulls", made)).ok(201)
    (await bot.post(f"{repo}/issues/{pull['number']}/labels", {"labels": ["promotion", "stage/uat"]})).ok()
    await report(bot, repo, pull["head"]["sha"], "promotion/uat", "success", "service 1.0.0 may enter uat", SUMMARY)
    merged = (await github.user("maintainer").put(f"{repo}/pulls/{pull['number']}/merge", {})).ok()["sha"]
    title = "uat is not well with service 1.0.0: greeting"
    await report(bot, repo, merged, "verification/uat", "failure", title, FAILED, path="out/stages/uat/manifests.yaml")
    said = f"❌ **{title}**\n\n{FAILED}\n`/rollback uat` brings back what was there before."
    (await bot.post(f"{repo}/issues/{pull['number']}/comments", {"body": said})).ok(201)


async def report(
    bot: Any, repo: str, sha: str, name: str, conclusion: str, title: str, summary: str, path: str = ""
) -> int:
    """A finished check run, with an annotation if `path` names a file; its id."""
    note = {"path": path, "start_line": 10, "end_line": 10, "annotation_level": "failure", "message": "this image"}
    output = {"title": title, "summary": summary, "annotations": [note] if path else []}
    body = {
        "name": name,
        "head_sha": sha,
        "conclusion": conclusion,
        "output": output,
        "details_url": "https://x.example",
    }
    number: int = (await bot.post(f"{repo}/check-runs", body)).ok(201)["id"]
    return number
