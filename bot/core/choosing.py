"""What a person means when they name a stage or freight in a command."""

from collections.abc import Sequence
from difflib import get_close_matches

from bot.core import freight as freight_data
from bot.core.messages.markdown import code, plain
from bot.core.model import Freight, Stage, StageName
from bot.core.snapshot import Snapshot
from bot.errors import UserError


def stage(snapshot: Snapshot, args: Sequence[str], default: str, usage: str) -> Stage:
    """The stage named first, else the one whose pull request this is. Raises UserError."""
    if snapshot.pipeline is None:
        raise UserError("There is no valid `.promotion.yaml` on the default branch, so there are no stages.")
    name = args[0] if args else default
    if not name:
        raise UserError(f"Which stage? Write `{usage}`. Stages here: {_names(snapshot)}.")
    found = snapshot.pipeline.stages.get(StageName(name))
    if found is None:
        near = get_close_matches(name, list(snapshot.pipeline.stages), n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise UserError(f"There is no such stage.{hint} Stages here: {_names(snapshot)}.")
    if found.is_control_flow:
        raise UserError(f"`{found.name}` is a control-flow stage: freight passes it, and nothing is promoted into it.")
    return found


def freight(candidates: Sequence[Freight], text: str) -> Freight:
    """The one freight meant by an id, its beginning, an alias or a version. Raises UserError."""
    found = [one for one in candidates if freight_data.matches(one, text)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"No freight by that name is known here.{_known(candidates)}")
    which = ", ".join(f"`{one.alias}` ({plain(freight_data.describe(one))})" for one in found[:5])
    raise UserError(f"That can mean {len(found)} different freight: {which}. Name one by its alias.")


def _names(snapshot: Snapshot) -> str:
    return ", ".join(f"`{name}`" for name in snapshot.pipeline.stages) if snapshot.pipeline else ""


def _known(candidates: Sequence[Freight]) -> str:
    if not candidates:
        return " There is none at all yet."
    shown = ", ".join(code(freight_data.version_of(one)) for one in candidates[:8])
    return f" Known: {shown}{', …' if len(candidates) > 8 else ''}."
