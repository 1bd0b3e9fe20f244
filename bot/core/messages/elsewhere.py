"""The pull request a promotion opens in another repository than its pipeline's: on GitHub or on GitLab."""

from bot.core.changes import Changes
from bot.core.lock import Way
from bot.core.messages.changes import changes_section
from bot.core.messages.pulls import artifacts_table, opening, with_own_text
from bot.core.model import Freight, Stage


def pull_body_elsewhere(
    stage: Stage,
    freight: Freight,
    before: Freight | None,
    actor: str,
    way: Way,
    description: str,
    changes: Changes,
    home: tuple[str, str],
) -> str:
    """As at home, but without a record; `home` is the pipeline's repository, by name and address of its page."""
    name, page = home
    asked = "by itself, as `auto: true` says" if way is Way.AUTOMATION else f"because {actor} asked for it on GitHub"
    head = [opening(stage, freight, asked, way), artifacts_table(freight, before)]
    foot = [
        "---\n"
        f"* This is a promotion of [{name}]({page}); what is in the stage is told there.\n"
        "* **Merging** it ends the promotion's wait. Newer freight may update it in place, but not over commits of "
        "others on its branch.\n"
        "* **Closing** it without merging fails the promotion."
    ]
    return with_own_text(description, head, foot, lambda room: changes_section(changes, room))
