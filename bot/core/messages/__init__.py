"""Every sentence Towpath writes on GitHub: pull requests, check runs, comments.

Said once, said why, with the next thing to do. Text that people or programs outside gave us goes through
`markdown`, so that it can neither break the page nor call anybody.
"""

from bot.core.messages.checks import (
    broke_check,
    config_check,
    edited_check,
    judged_check,
    nothing_to_verify_check,
    overtaken_check,
    proposal_check,
    stale_check,
    stuck_check,
    unfinished_check,
    verifying_check,
    with_id,
)
from bot.core.messages.commands import accepted, answer_marker, command_help, refusal_of, refused, status
from bot.core.messages.config_changes import config_change_check
from bot.core.messages.elsewhere import pull_body_elsewhere
from bot.core.messages.markdown import block, code, marker, plain, prose, with_marker
from bot.core.messages.pulls import commit_trailers, pull_body, pull_title, trailer_lines
from bot.core.messages.results import (
    already_there,
    orphan,
    result,
    result_marker,
    turned_down,
    unreadable,
)
from bot.core.messages.warehouses import came_along, warehouses_check, warehouses_well_check

__all__ = [
    "accepted",
    "already_there",
    "answer_marker",
    "block",
    "broke_check",
    "came_along",
    "code",
    "command_help",
    "commit_trailers",
    "config_change_check",
    "config_check",
    "edited_check",
    "judged_check",
    "marker",
    "nothing_to_verify_check",
    "orphan",
    "overtaken_check",
    "plain",
    "proposal_check",
    "prose",
    "pull_body",
    "pull_body_elsewhere",
    "pull_title",
    "refusal_of",
    "refused",
    "result",
    "result_marker",
    "stale_check",
    "status",
    "stuck_check",
    "trailer_lines",
    "turned_down",
    "unfinished_check",
    "unreadable",
    "verifying_check",
    "warehouses_check",
    "warehouses_well_check",
    "with_id",
    "with_marker",
]
