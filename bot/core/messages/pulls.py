"""The promotion's pull request: what comes, from where, and what merging and closing it mean."""

from collections.abc import Callable, Iterable, Sequence

from bot.core import freight as freight_data
from bot.core import lock
from bot.core.changes import Changes
from bot.core.lock import Way
from bot.core.messages.changes import changes_section
from bot.core.messages.markdown import COMMENT_LIMIT, code, plain, table
from bot.core.model import Artifact, Chart, Commit, Freight, Image, MergePolicy, Stage
from bot.errors import UserError

TITLE_LIMIT = 256  # https://docs.github.com/en/rest/pulls/pulls, with what issues report
_SHORT = 7


def pull_title(stage: Stage, freight: Freight, before: Freight | None, way: Way) -> str:
    verb = "rollback" if way is Way.ROLLBACK else "promote"
    names = freight_data.describe(freight)
    if before is not None and len(freight.artifacts) == 1 == len(before.artifacts):
        return f"{verb}({stage.name}): {freight_data.describe(before)} → {freight_data.version_of(freight)}"[
            :TITLE_LIMIT
        ]
    return f"{verb}({stage.name}): {names}"[:TITLE_LIMIT]


def pull_body(
    stage: Stage,
    freight: Freight,
    before: Freight | None,
    actor: str,
    way: Way,
    description: str,
    changes: Changes,
    record: str,
) -> str:
    """What people see, and below it the signed record, always whole. A template's own text has half of the room there
    is, and the changes what that leaves."""
    who = "by itself, as `auto: true` says" if way is Way.AUTOMATION else f"because @{actor} asked for it"
    head = [opening(stage, freight, who, way), artifacts_table(freight, before)]
    foot = [_footer(stage, freight), record]
    return with_own_text(description, head, foot, lambda room: changes_section(changes, room))


def with_own_text(description: str, head: Sequence[str], foot: Sequence[str], changes: Callable[[int], str]) -> str:
    """The whole body; `changes` gives what changes in so many characters."""
    room = COMMENT_LIMIT - sum(len(part) + 2 for part in (*head, *foot))
    if room < 0:
        raise UserError("What the steps put out is too much to be kept in a pull request's body. Put out less.")
    text = description.strip().replace("<!-- towpath:", "<!-- quoted ")  # one record is ours, others would spoil it
    if len(text) > room // 2 - 2:
        text = text[: max(room // 2 - 4, 0)] + "…"
    own = [text] if text and room > 8 else []
    told = changes(room - sum(len(part) + 2 for part in own) - 2)
    return "\n\n".join([*own, *head, *([told] if told else []), *foot])


def opening(stage: Stage, freight: Freight, who: str, way: Way) -> str:
    """What the promotion does, and who wanted it."""
    does = f"takes `{stage.name}` back to" if way is Way.ROLLBACK else f"brings into `{stage.name}`"
    return f"Towpath {does} freight {code(freight.alias)}, {who}."


def artifacts_table(freight: Freight, before: Freight | None) -> str:
    """What the stage has now of each artifact, and what then."""
    old = {_key(artifact): artifact for artifact in before.artifacts} if before else {}
    rows = [_row(artifact, old.get(_key(artifact))) for artifact in freight.artifacts]
    return table(("artifact", "now", "then"), rows)


def _key(artifact: Artifact) -> tuple[str, str, str]:
    name = artifact.name if isinstance(artifact, Chart) else ""
    return artifact.repo_url, name, artifact.subscription_name


def _row(artifact: Artifact, before: Artifact | None) -> tuple[str, str, str]:
    now = _version(before) if before else "nothing"
    then = _version(artifact)
    name = f"{code(artifact.subscription_name)}<br>" if artifact.subscription_name else ""
    return name + code(_name(artifact)), now, then if before is None or now != then else f"{then} (unchanged)"


def _name(artifact: Artifact) -> str:
    return (
        f"{artifact.repo_url}/{artifact.name}" if isinstance(artifact, Chart) and artifact.name else artifact.repo_url
    )


def _version(artifact: Artifact) -> str:
    match artifact:
        case Image():
            return f"{code(artifact.tag)}<br>{code(artifact.digest[:19])}"
        case Chart():
            return code(artifact.version)
        case Commit():
            at = code(artifact.id[:_SHORT])
            said = f" {plain(artifact.message.splitlines()[0])}" if artifact.message else ""
            return f"{code(artifact.tag)} {at}{said}" if artifact.tag else f"{at}{said}"


def _footer(stage: Stage, freight: Freight) -> str:
    merging = (
        "Towpath merges it once every gate and every required check holds."
        if stage.merge is MergePolicy.AUTO
        else "You merge it, when you are content with the diff."
    )
    updates = (
        "newer freight updates it in place."
        if stage.auto
        else f"it stays as it is, until somebody comments `/promote {stage.name}` again."
    )
    return (
        "---\n"
        f"* **Merging**: {merging} The check `promotion/{stage.name}` says whether it may be merged now.\n"
        f"* **Updates**: {updates} Commits of your own on this branch are left alone.\n"
        f"* **Closing** it without merging: this freight is not offered to `{stage.name}` again, "
        f"until somebody comments `/promote {stage.name} {freight_data.version_of(freight)}`.\n"
        f"* What is in the stage is told by `{lock.path(stage.name)}`."
    )


def trailer_lines(trailers: Iterable[tuple[str, str]]) -> str:
    """One to a line. https://git-scm.com/docs/git-interpret-trailers"""
    return "\n".join(f"{key}: {' '.join(value.split())}" for key, value in trailers)


def commit_trailers(
    stage: Stage, freight: Sequence[Freight], promotion: str, actor: str
) -> tuple[tuple[str, str], ...]:
    """Who did it, and why, in Git itself (DESIGN §2)."""
    return (
        ("Promoted-By", actor),
        *(("Freight", one.id) for one in freight),
        ("Stage", stage.name),
        ("Promotion", promotion),
    )
