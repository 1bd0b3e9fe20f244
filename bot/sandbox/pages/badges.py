"""Small things that stand in lines of text: who, when, which label, in what state."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from bot.sandbox.git.reading import Person
from bot.sandbox.model.accounts import Account, AccountKind
from bot.sandbox.model.issues import Issue, Label
from bot.sandbox.pages.html import Html, fill
from bot.sandbox.pages.icons import Symbol, Tone, icon
from bot.sandbox.payloads.commits import committer_account
from bot.sandbox.payloads.values import stamp
from bot.sandbox.world import World

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_COLOR = re.compile(r"[0-9a-fA-F]{6}")


def age(world: World, moment: datetime) -> Html:
    """How long ago something was, with the exact time on pointing at it."""
    return fill(
        '<time datetime="{exact}" title="{exact}">{words}</time>', exact=stamp(moment), words=_ago(world, moment)
    )


def _ago(world: World, moment: datetime) -> str:
    seconds = int((world.now() - moment).total_seconds())
    if seconds < 5:
        return "just now"
    if seconds >= 45 * 86_400:
        return moment.strftime("on %d %b %Y")
    unit, size = next((unit, size) for unit, size in _UNITS if seconds >= size)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def account_path(account: Account) -> str:
    """The path of an account's page."""
    login = account.login
    is_bot = account.kind is AccountKind.BOT
    return f"/apps/{quote(login.removesuffix('[bot]'))}" if is_bot else f"/{quote(login)}"


def face(account: Account) -> Html:
    """An account's picture."""
    return fill('<img class="face" src="/avatars/u/{id}" alt="" width="20" height="20">', id=account.id)


def who(account: Account) -> Html:
    """An account's picture and name, with a badge if it is an App's."""
    is_bot = account.kind is AccountKind.BOT
    return fill(
        '{face} <a class="who" href="{path}">{login}</a>{badge}',
        face=face(account),
        path=account_path(account),
        login=account.login.removesuffix("[bot]"),
        badge=Html(' <span class="tag">bot</span>') if is_bot else None,
    )


def committer(world: World, person: Person) -> Html:
    """A commit's author: the account if the address is one's, else the name."""
    account = committer_account(world, person)
    return who(account) if account else fill('<span class="who">{name}</span>', name=person.name)


def chip(label: Label) -> Html:
    """A label in its colour, its writing black or white, whichever can be read on it."""
    color = label.color if _COLOR.fullmatch(label.color) else "8a94a0"
    red, green, blue = (int(color[at : at + 2], 16) for at in (0, 2, 4))
    pale = red * 0.299 + green * 0.587 + blue * 0.114 > 150
    return fill(
        '<span class="chip{pale}" style="--chip:#{color}" title="{about}">{name}</span>',
        pale=" pale" if pale else "",
        color=color,
        about=label.description,
        name=label.name,
    )


def chips(world: World, issue: Issue) -> Html:
    """All labels of an issue or pull request."""
    rows = (world.labels.get(number) for number in issue.labels)
    return fill("{chips}", chips=[fill("{chip} ", chip=chip(row)) for row in rows if row])


def state_of(issue: Issue) -> tuple[Symbol, Tone, str]:
    """Symbol, tone and word for how an issue or pull request stands."""
    if issue.pull is None:
        return (Symbol.ISSUE, Tone.GOOD, "Open") if issue.is_open else (Symbol.CHECK, Tone.DONE, "Closed")
    if issue.pull.merged_at:
        return Symbol.MERGE, Tone.DONE, "Merged"
    if not issue.is_open:
        return Symbol.PULL, Tone.BAD, "Closed"
    return (Symbol.PULL, Tone.QUIET, "Draft") if issue.pull.draft else (Symbol.PULL, Tone.GOOD, "Open")


def state_pill(issue: Issue) -> Html:
    """The same, to stand under a title."""
    symbol, tone, word = state_of(issue)
    return fill('<span class="state {tone}">{icon} {word}</span>', tone=tone, icon=icon(symbol, tone), word=word)


def short(base: str, sha: str) -> Html:
    """A commit's short name, leading to its page; `base` is the repository's path."""
    return fill('<a class="mono" href="{base}/commit/{sha}">{short}</a>', base=base, sha=sha, short=sha[:7])


def branch(base: str, name: str) -> Html:
    """A branch's name, leading to its files."""
    return fill('<a class="branch mono" href="{base}/tree/{path}">{name}</a>', base=base, path=quote(name), name=name)
