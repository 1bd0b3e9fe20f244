"""Others push while Towpath is at work: between its push and its next look at what there is, or its merge and that.

A look asks Git once, and knows its own pushes. What others did since is found by the next, and never overwritten.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.sandbox.faults import HttpFault
from bot.sandbox.observers import Exchange, Webhook
from tests.scenarios.scene import PATIENCE, PIPELINE, REPO, Scene

BOT = "towpath[bot]"


@dataclass
class Pushed:
    """When Towpath has pushed."""

    once: asyncio.Event = field(default_factory=asyncio.Event)

    def exchange(self, exchange: Exchange) -> None:
        """Not of interest."""

    def webhook(self, webhook: Webhook) -> None:
        if webhook.event == "push" and webhook.payload["sender"]["login"] == BOT:
            self.once.set()


@asynccontextmanager
async def between_push_and_pull_request(shop: Scene, version: str) -> AsyncIterator[None]:
    """Publish a version; inside, Towpath has pushed it, and GitHub takes its time to open the pull request."""
    pushed = Pushed()
    shop.github.sandbox.record.observers.append(pushed)
    opens = HttpFault(re.compile("POST"), re.compile(f"{REPO}/pulls$"), 1, until=asyncio.Event())
    shop.github.sandbox.faults.http.append(opens)
    publishing = asyncio.create_task(shop.publish(version))
    async with asyncio.timeout(PATIENCE):
        await pushed.once.wait()
    yield
    assert not await shop.pulls("test", "open")
    assert opens.until is not None
    opens.until.set()
    await publishing
    await shop.quiet()


async def people_merge(shop: Scene) -> None:
    await shop.write({".promotion.yaml": PIPELINE.replace("    merge: auto\n", "")}, message="people merge")
    await shop.quiet()


async def force_push(shop: Scene, branch: str, parent: str, files: dict[str, str]) -> str:
    """Somebody's commit on `parent`, put in a branch's place."""
    owner = shop.who("owner")
    base = (await owner.get(f"{REPO}/git/commits/{parent}")).ok()["tree"]["sha"]
    tree = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
    made = (await owner.post(f"{REPO}/git/trees", {"base_tree": base, "tree": tree})).ok(201)["sha"]
    commit = {"message": "mine", "tree": made, "parents": [parent]}
    sha: str = (await owner.post(f"{REPO}/git/commits", commit)).ok(201)["sha"]
    (await owner.patch(f"{REPO}/git/refs/heads/{branch}", {"sha": sha, "force": True})).ok()
    return sha


async def head_of(shop: Scene, branch: str) -> str:
    sha: str = (await shop.who("owner").get(f"{REPO}/git/ref/heads/{branch}")).ok()["object"]["sha"]
    return sha


async def is_held_at(shop: Scene, sha: str) -> None:
    """Somebody's commit is on the promotion branch, and stays there whatever comes."""
    for version in ("", "1.1.0"):
        if version:
            await shop.publish(version)
        pull = await shop.proposal("test")
        assert pull["head"]["sha"] == sha == await head_of(shop, "promotion/test")
        assert await shop.state(pull["number"]) == {"held"}
        assert (await shop.check(sha, "promotion/test"))["conclusion"] == "action_required"


async def test_git_is_asked_once_and_pushed_to_once_for_a_proposal(shop: Scene) -> None:
    await people_merge(shop)
    await shop.publish("1.0.0")  # from now on there is a mirror
    await shop.close((await shop.proposal("test"))["number"])
    await shop.hears((await shop.pulls("test"))[0]["number"], "closed without merging")
    seen = HttpFault(re.compile("GET"), re.compile(r"^/acme/shop\.git/info/refs"), 100)  # which does nothing but count
    shop.github.sandbox.faults.http.append(seen)
    async with between_push_and_pull_request(shop, "1.1.0"):
        assert 100 - seen.times == 2


async def test_a_commit_put_on_top_of_ours_before_its_pull_request_is_open(shop: Scene) -> None:
    await people_merge(shop)
    async with between_push_and_pull_request(shop, "1.0.0"):
        theirs = await shop.write({"out/stages/test/extra.yaml": "mine: true\n"}, branch="promotion/test")
    await is_held_at(shop, theirs)


async def test_a_commit_put_in_the_place_of_ours_before_its_pull_request_is_open(shop: Scene) -> None:
    await people_merge(shop)
    async with between_push_and_pull_request(shop, "1.0.0"):
        main = await head_of(shop, "main")
        theirs = await force_push(shop, "promotion/test", main, {"out/stages/test/extra.yaml": "mine: true\n"})
    await is_held_at(shop, theirs)


async def test_what_it_was_rendered_from_changes_before_its_pull_request_is_open(shop: Scene) -> None:
    await people_merge(shop)
    async with between_push_and_pull_request(shop, "1.0.0"):
        await shop.write({"chart/values-test.yaml": "image:\n  tag: none\nreplicas: 7\n"})
    pull = await shop.proposal("test")
    assert "replicas: 7" in await shop.read("out/stages/test/manifests.yaml", "promotion/test")
    assert await shop.state(pull["number"]) == {"awaiting-merge"}


async def test_nothing_is_merged_by_what_a_look_saw_at_its_beginning(shop: Scene) -> None:
    """Somebody takes a commit back that the proposal was rendered from: it must not come back by the merge."""
    before = await head_of(shop, "main")
    await shop.write({"chart/values-test.yaml": "image:\n  tag: none\nreplicas: 7\n"}, message="a mistake")
    await shop.quiet()
    async with between_push_and_pull_request(shop, "1.0.0"):
        main = await force_push(shop, "main", before, {"chart/values-uat.yaml": "replicas: 4\n"})

    pull = await shop.proposal("test")
    assert await shop.state(pull["number"]) == {"held"}
    check = await shop.check(pull["head"]["sha"], "promotion/test")
    assert "`owner`" in check["output"]["summary"]
    assert await head_of(shop, "main") == main


async def test_a_branch_that_github_deletes_with_the_merge_is_made_anew(shop: Scene) -> None:
    """The next promotion knows that it is gone: a push that expects it would be refused."""
    (await shop.who("owner").patch(REPO, {"delete_branch_on_merge": True})).ok()
    merged = []
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        await shop.publish(version)
        merged.append((await shop.landed("test"))["number"])
        await shop.hears(merged[-1], f"service {version} is verified in `test`")
        assert await shop.holds("test") == version
        assert (await shop.who("owner").get(f"{REPO}/git/ref/heads/promotion/test")).status == 404
    assert len(set(merged)) == len(await shop.pulls("test")) == 3


async def test_a_branch_that_somebody_deletes_is_made_anew(shop: Scene) -> None:
    await people_merge(shop)
    await shop.publish("1.0.0")
    number = (await shop.proposal("test"))["number"]
    await shop.merge(number)
    await shop.hears(number, "service 1.0.0 is verified in `test`")
    (await shop.who("owner").delete(f"{REPO}/git/refs/heads/promotion/test")).ok(204)
    await shop.publish("1.1.0")
    assert (await shop.proposal("test"))["title"] == "promote(test): service 1.0.0 → 1.1.0"
