"""What is outside: which addresses and names we take, and what a remote's refusal means."""

import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from bot.contracts.clock import Clock
from bot.core.urls import ssh_address
from bot.errors import Retry, UserError
from bot.git import ssh
from bot.git.process import GitFailed, GitTimedOut

_FULL_SHA = re.compile(r"[0-9a-f]{40}")
# https://git-scm.com/docs/git-check-ref-format
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-/.@]$|^[-/.]|[/.]$")

_REFUSED = re.compile(
    r"authentication failed|could not read (username|password)|terminal prompts disabled|invalid credentials"
    r"|returned error: 40[13]|access denied|write access to repository not granted",
    re.I,
)
_UNKNOWN = re.compile(
    r"returned error: (404|410)|repository .* not found|does not appear to be a git repo"
    r"|repository not found|does not exist",
    re.I,
)
_ELSEWHERE = re.compile(r"redirect|returned error: 30[12378]", re.I)
# In the words of curl's versions; the proxy is our own, see bot/engine/forward_proxy.py.
_KEPT_BACK = re.compile(r"(CONNECT tunnel failed, response|Received HTTP code) 403", re.I)
_UNTRUSTED = re.compile(
    r"certificate (verification failed|problem)|certificate subject name|self.signed certificate", re.I
)
_UNREACHABLE = re.compile(
    r"could not resolve|couldn't connect|failed to connect|connection (refused|reset|timed out)|timed out|timeout"
    r"|returned error: (408|429|5\d\d)|rpc failed|early eof|hung up|empty reply|unexpected disconnect"
    r"|expected flush|transfer closed|operation too slow|recv failure|send failure|gnutls|ssl|tls"
    r"|unable to access .*: (http/2|ftp|receiv)|bad pack header|network is unreachable|no route to host"
    r"|connection closed|kex_exchange_identification|connection to .* closed",
    re.I,
)
# What git says after whatever `ssh` said.
_AFTER_SSH = ("fatal: Could not read from remote", "Please make sure you have the", "and the repository exists.")
_RETRY_AFTER = timedelta(seconds=30)


def is_sha(text: str) -> bool:
    return _FULL_SHA.fullmatch(text) is not None


def check_url(url: str, *, allow_file: bool) -> str:
    """The URL as git is given it. Raises UserError for what is neither HTTP nor SSH, and for HTTP with a user or a
    password in it."""
    if ssh_address(url):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:  # such as https://[
        parts = urlsplit("")
    if allow_file and parts.scheme == "file" and not parts.netloc and parts.path:
        return url
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s\x00-\x1f\x7f]", url):
        shown = re.sub(r"(?<=//)[^/@]*:[^/@]*@", "***@", url)
        raise UserError(
            f"{shown!r} is not a repository address Towpath takes; write it as https://host/owner/name.git, or for SSH "
            "as ssh://git@host/owner/name.git or git@host:owner/name.git"
        )
    if "@" in parts.netloc:
        raise UserError(
            f"the address of {parts.hostname}{parts.path} carries a user name or a password; "
            "write it without, the App brings its own credentials"
        )
    return url


def mirror_name(url: str, realm: str = "") -> str:
    """A folder name for a repository. Only what every server takes for the same is: upper case in a path may count.

    What different realms see of one URL is not the same.
    """
    there, parts = ssh_address(url), urlsplit(url)
    path = (there or parts).path.removesuffix("/").removesuffix(".git")
    server = f"ssh://{there.user}@{there.known_as}:" if there else f"{parts.scheme}://{parts.netloc.lower()}"
    text = f"{realm.lower()} {server}{path}" if realm else f"{server}{path}"
    return sha256(text.encode()).hexdigest()[:32]


def check_ref(kind: str, name: str) -> str:
    """A branch's or tag's name. Raises UserError for what git would not take as one."""
    if not name or _BAD_REF.search(name) or name.startswith("refs/"):
        raise UserError(f"{name!r} is not a {kind} name git takes; see `git help check-ref-format`")
    return name


def explain(failure: GitFailed, url: str, clock: Clock, doing: str) -> Exception:
    """What a failed command against a remote means: UserError, Retry, or the failure itself when none of the remote's.

    `doing` says what was being done to `url`, as in "fetching from".
    """
    said = failure.stderr
    if isinstance(failure, GitTimedOut):
        return Retry(clock.now() + _RETRY_AFTER, f"{doing} {url} took too long")
    there = ssh_address(url)
    if there and (found := ssh.meaning(said, there, f"{doing} {url}")):
        return found
    if _KEPT_BACK.search(said):
        return UserError(f"{doing} {url}: Towpath's setting EGRESS_ALLOW keeps it from the address that this host has")
    if _ELSEWHERE.search(said):
        return UserError(f"{doing} {url}: the server redirects elsewhere; write the address the repository has now")
    if _UNTRUSTED.search(said):
        return UserError(
            f"{doing} {url}: the server's certificate is not trusted; have Towpath's machine trust its authority, or "
            "set insecureSkipTLSVerify where the repository needs no credentials"
        )
    if _REFUSED.search(said):
        return UserError(
            f"{doing} {url}: access was refused; install the App on that repository, or give it the permission "
            "to read and write contents there"
        )
    if _UNKNOWN.search(said):
        return UserError(
            f"{doing} {url}: there is no such repository, or the App may not see it; correct the address or "
            "install the App there"
        )
    if "not our ref" in said:
        return UserError(f"{doing} {url}: it has no commit {said.split()[-1]}; a force-push may have removed it")
    if "transport '" in said and "not allowed" in said:
        return UserError(f"{doing} {url}: only http, https and ssh are allowed")
    if _UNREACHABLE.search(said):
        return Retry(clock.now() + _RETRY_AFTER, f"{doing} {url}: {last_line(said)}")
    return failure


def last_line(stderr: str) -> str:
    """The line of git's complaint that says most: the last `fatal:` or `error:`, else the last one."""
    said = [line.strip() for line in stderr.splitlines() if line.strip()] or ["git said nothing"]
    lines = [line for line in said if not line.startswith(_AFTER_SSH)] or said
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (telling or lines)[-1][:300]


def parse_listing(text: str) -> tuple[dict[str, str], str]:
    """Branches and tags of an `ls-remote --symref`, as ref -> object, and the branch HEAD leads to ("" if none)."""
    refs: dict[str, str] = {}
    head = ""
    for line in text.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: refs/heads/") and name == "HEAD":
            head = value.removeprefix("ref: refs/heads/")
        elif name.startswith(("refs/heads/", "refs/tags/")) and not name.endswith("^{}"):
            refs[name] = value
    return refs, head


def without_prefix(refs: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): sha for name, sha in refs.items() if name.startswith(prefix)}
