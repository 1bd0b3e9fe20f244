"""Addresses: those that the API tells of lead to pages, and the pages stand in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.observers import Exchange, Webhook
from tests.sandbox.driver import GitHub
from tests.sandbox.pages.site import Site
from tests.sandbox.pages.story import tell


@dataclass(slots=True)
class Addresses:
    """An observer that collects what payloads call `html_url` and the like."""

    found: set[str] = field(default_factory=set)

    def exchange(self, exchange: Exchange) -> None:
        """An answer of the API."""
        self.found.update(_pages(exchange.response))

    def webhook(self, webhook: Webhook) -> None:
        """An event."""
        self.found.update(_pages(webhook.payload))


def _pages(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _pages(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ("html_url", "diff_url", "patch_url", "blob_url", "compare", "avatar_url") and item:
                yield str(item)
            yield from _pages(item)


async def test_every_page_the_api_tells_of_is_there(site: Site, github: GitHub) -> None:
    seen = Addresses()
    github.sandbox.record.observers.append(seen)
    repo, owner = await tell(github), github.user("owner")
    for path in ("/branches/main", "/contents/out/stages", "/compare/main...promotion%2Ftest", "/pulls/3/files"):
        (await owner.get(f"{repo}{path}")).ok()
    for path in ("/orgs/acme", "/orgs/acme/teams", "/user", "/users/outsider"):
        (await owner.get(path)).ok()
    (await github.app().get("/app/installations")).ok()
    await github.sandbox.settle()
    await site.become("owner")

    kinds = {urlsplit(url).path.split("/")[3] for url in seen.found if urlsplit(url).path.count("/") > 3}
    assert {"pull", "commit", "blob", "tree", "runs", "issues", "compare", "teams"} <= kinds
    for url in sorted(seen.found):
        assert url.startswith(github.sandbox.url), url
        assert (await site.open(url)).status == 200, url


async def test_an_issue_and_a_pull_request_lead_to_one_another_by_number(site: Site, github: GitHub) -> None:
    await tell(github)

    assert (await site.open("/acme/service-cicd/issues/3")).path == "/acme/service-cicd/pull/3"
    assert (await site.open("/acme/service-cicd/pull/1")).path == "/acme/service-cicd/issues/1"


HTML, JSON = "text/html", "application/json"
OWNERS = (
    ("/api/v3/rate_limit", 200, JSON),
    ("/api/v3", 404, JSON),
    ("/api/v3/nowhere", 404, JSON),
    ("/v2/", 200, JSON),
    ("/v2/_catalog", 200, JSON),
    ("/v2/nowhere", 404, JSON),
    ("/cluster", 200, JSON),
    ("/cluster/test", 503, JSON),
    ("/sandbox/calls", 200, JSON),
    ("/acme/public.git/info/refs?service=git-upload-pack", 200, "application/x-git-upload-pack-advertisement"),
    ("/acme/public/info/refs?service=git-upload-pack", 200, "application/x-git-upload-pack-advertisement"),
    ("/acme/public", 200, HTML),
    ("/acme", 200, HTML),
    ("/nobody", 404, HTML),
    ("/acme/public/pull/99999999999999999999", 404, HTML),
    ("/acme/public/runs/99999999999999999999", 404, HTML),
    ("/acme/public/commit/HEAD~1", 404, HTML),
    ("/acme/public/commit/--all", 404, HTML),
    ("/acme/public/blob/main/README.md/x", 404, HTML),
    ("/acme/public/tree/nowhere", 404, HTML),
    ("/acme/public/compare/main", 404, HTML),
    ("/acme/public/commits?page=0", 200, HTML),
    ("/acme/public/pulls?state=odd", 200, HTML),
)


async def test_every_address_has_one_owner(site: Site, github: GitHub) -> None:
    await github.repo("public", private=False)
    found = []
    for path, _, _ in OWNERS:
        page = await site.open(path)
        found.append((path, page.status, page.headers["Content-Type"].partition(";")[0]))

    assert tuple(found) == OWNERS
