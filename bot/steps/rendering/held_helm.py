"""Run as a program: helm, as kustomize may have it.

`python held_helm.py FOLDER HELM LOGINS ARGUMENT…`. Kustomize hands on what a kustomization says as it stands, a release
called `--post-renderer=./program` too, so only the options it has a field for are let through, and every path has to
lie in the promotion's folder. https://kubectl.docs.kubernetes.io/references/kustomize/builtins/#_helmchartinflationgenerator_
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_COMMANDS = {"version", "pull", "template"}
_PLAIN = {
    "-c", "--short", "--untar", "--generate-name", "--include-crds", "--skip-tests", "--no-hooks", "--debug", "--devel",
}  # fmt: skip
_WITH_TEXT = {"--repo", "--version", "--namespace", "--name-template", "--kube-version", "--api-versions"}
_WITH_PATH = {"-f", "--values", "--untardir"}
_HOMES = ("HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME")


class Refused(Exception):
    """Said as it stands."""


def held(folder: Path, arguments: list[str]) -> list[str]:
    """The arguments for helm: options first, then `--`, then names. Raises Refused."""
    command, *rest = arguments or [""]
    if command not in _COMMANDS:
        raise Refused(f"a kustomization can't have helm do {command!r}")
    options, names = [], []
    waiting = iter(rest)
    for argument in waiting:
        if not argument.startswith("-"):
            names.append(argument)
        elif argument in _PLAIN:
            options.append(argument)
        elif argument in _WITH_TEXT | _WITH_PATH:
            value = next(waiting, "")
            if argument in _WITH_PATH:
                _check(folder, value)
            options += [argument, value]
        else:
            raise Refused(f"{argument!r} is an option of helm that a kustomization can't give; correct its helmCharts")
    for name in names:
        if command == "template" and os.path.lexists(name):
            _check(folder, name)
        elif command == "pull" and ".." in name.split("/"):
            raise Refused(f"the chart {name!r} has no such name; correct the kustomization's helmCharts")
    return [command, *options, "--", *names]


def with_login(given: list[str], known: Mapping[str, str]) -> tuple[list[str], str | None]:
    """The arguments for what may be pulled with a login, and by which name helm has the chart's repository; "" for a
    registry. None for what needs none: a login is for the addresses it was looked up for, and no others.

    For a repository that is given by `--repo` helm takes a login from its arguments only, which everybody sees.
    """
    command, *rest = given
    at = rest.index("--")
    options, names = rest[:at], rest[at + 1 :]
    if command != "pull" or len(names) != 1:
        return given, None
    if "--repo" not in options:
        return given, "" if known.get(names[0]) == "" else None
    place = options.index("--repo")
    name = known.get(options[place + 1])
    if not name:
        return given, None
    return [command, *options[:place], *options[place + 2 :], "--", f"{name}/{names[0]}"], name


def _check(folder: Path, path: str) -> None:
    """Helm follows symbolic links."""
    found = _leads_to(Path(path))
    if not found.is_relative_to(folder):
        raise Refused(f"{path!r} of a kustomization's helmCharts leads out of the promotion's folder")
    for where, folders, files in os.walk(found):
        for name in (*folders, *files):
            if not _leads_to(Path(where, name)).is_relative_to(folder):
                raise Refused(f"{name!r} in a chart is a symbolic link out of the promotion's folder; remove it")


def _leads_to(path: Path) -> Path:
    try:
        return path.resolve()
    except (RuntimeError, ValueError) as error:
        raise Refused(f"{path.name!r} in a chart is a symbolic link that leads to itself; remove it") from error


def command_for(
    folder: Path,
    helm: str,
    home: Path,
    environment: Mapping[str, str] | None = None,
    known: Mapping[str, str] | None = None,
) -> Path:
    """A program in `home` that does this for promotions in `folder`, for kustomize knows the name of a program only.

    `environment` leads helm to its logins, which it has for the addresses that are `known`.
    """
    program = home / "helm"
    logins = json.dumps([environment or {}, known or {}])
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import runpy, sys\n"
        f"sys.argv[1:1] = {[str(folder.resolve()), helm, logins]!r}\n"
        f"runpy.run_path({__file__!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    program.chmod(0o700)
    return program


if __name__ == "__main__":
    try:
        given = held(Path(sys.argv[1]), sys.argv[4:])
        for home_of in _HOMES:
            # What kustomize tells helm by, and no setting of ours: this is a process of its own.
            _check(Path(sys.argv[1]), os.environ.get(home_of, sys.argv[1]))  # noqa: TID251
    except Refused as error:
        sys.exit(str(error))
    leading, known = json.loads(sys.argv[3])
    given, repository = with_login(given, known)
    if repository is not None:
        os.environ.update(leading)  # noqa: TID251
    if repository:
        updated = subprocess.run(
            [sys.argv[2], "repo", "update", repository], check=False, capture_output=True, text=True
        )
        print(updated.stdout, updated.stderr, file=sys.stderr)
    os.execv(sys.argv[2], [sys.argv[2], *given])  # noqa: S606  # no shell is wanted
