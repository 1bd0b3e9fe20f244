"""What is said where a step between a pull request and its merge failed."""

from bot.core.messages.markdown import code, marker, prose
from bot.core.model import CommitSha, StageName


def stopped_marker(head: CommitSha, step: str) -> str:
    return marker("stopped", f"{head}/{step}")


def stopped(stage: StageName, step: str, message: str) -> str:
    return (
        f"The step {code(step)} failed, so Towpath doesn't merge this: {prose(message) or 'it says no more'}\n\n"
        f"Mend that and say {code(f'/promote {stage}')}, or merge it yourself."
    )
