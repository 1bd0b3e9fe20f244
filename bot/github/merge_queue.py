"""Pull requests into a branch with a merge queue: GitHub merges them itself, when their turn comes.

Only GraphQL knows of the queue: https://docs.github.com/en/graphql/reference/mutations#enqueuepullrequest
"""

from bot.core.model import CommitSha
from bot.github import parse
from bot.github.area import Area

_ASK = """\
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { id isInMergeQueue } }
}"""
_ENQUEUE = """\
mutation($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { state } }
}"""


class MergeQueue(Area):
    async def enter(self, number: int, head: CommitSha) -> None:
        """Put exactly this head into the queue. Repeatable. Raises Refused and Retry."""
        asked = {"owner": self._path["owner"], "name": self._path["repo"], "number": number}
        node, waits = parse.read(_pull_request, await self._client.ask(_ASK, asked))
        if not waits:
            await self._client.ask(_ENQUEUE, {"id": node, "head": head})


def is_meant(message: str) -> bool:
    """Whether GitHub's refusal to merge says that the branch has a queue."""
    return "merge queue" in message.lower()


def _pull_request(data: parse.Json) -> tuple[str, bool]:
    found = data["repository"]["pullRequest"]
    return str(found["id"]), bool(found["isInMergeQueue"])
