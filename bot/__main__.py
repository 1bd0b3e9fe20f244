"""The command `towpath`: argv, and nothing else."""

import asyncio
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import Broken, UserError

if TYPE_CHECKING:
    from bot.settings import Settings

# What a command doesn't need it doesn't load: the imports are inside.
# ruff: noqa: PLC0415

_EX_SOFTWARE = 70
_FILE = click.Path(path_type=Path, dir_okay=False)
_DOCKER_CONFIG = click.option(
    "--docker-config",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="DOCKER_CONFIG",
    show_envvar=True,
    help="The folder of a Docker config.json, for what takes a login.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="towpath", prog_name="towpath")
def towpath() -> None:
    """Promotes freight through the stages of a GitOps repository, by pull request."""


@towpath.command()
@click.option("--env-file", type=_FILE, help="Settings as NAME=value lines; the environment goes before it.")
def serve(env_file: Path | None) -> None:
    """Run the GitHub App: take webhooks, look, promote."""
    from bot import log
    from bot.settings import from_process

    settings = from_process(env_file)
    log.configure(settings.log_level, settings.log_format)
    asyncio.run(_serve(settings))


async def _serve(settings: "Settings") -> None:
    from bot.app import start

    stop = _stop_on_signal()
    async with start(settings) as bot:
        click.echo(f"towpath: listening on {bot.url}")
        lost = asyncio.create_task(bot.run_until_lost())
        asked = asyncio.create_task(stop.wait())
        await asyncio.wait({lost, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if lost.done() and (error := lost.exception()) is not None:
            # Threads may hang in a database that is gone. Nothing is mended in place: whoever started us does so again.
            logging.getLogger("bot").critical("this process may no longer work", exc_info=error)
            logging.shutdown()
            os._exit(_EX_SOFTWARE)
        lost.cancel()


@towpath.command()
@click.option("--port", type=click.IntRange(0, 65535), default=3100, show_default=True, help="0 takes a free one.")
@click.option("--dir", "directory", type=click.Path(path_type=Path, file_okay=False), required=True, help="Its state.")
@click.option("--env-file", type=_FILE, help="Where to write what a bot and a person need.")
@click.option("--seed", type=click.Choice(["demo", "empty"]), default="empty", show_default=True)
@click.option("--webhook-url", help="Where the App hears of events.  [default: the next port's /webhook]")
def sandbox(port: int, directory: Path, env_file: Path | None, seed: str, webhook_url: str | None) -> None:
    """Run a GitHub, a registry and a cluster small enough for this machine."""
    from bot.sandbox.cli import run
    from bot.sandbox.seed import Seed

    run(port, directory, env_file, Seed(seed), webhook_url)


@towpath.command()
@click.option("--keep", is_flag=True, help="Leave it running, with the address to open.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per event.")
def demo(keep: bool, as_json: bool) -> None:
    """Tell the whole story, from an image to production, on this machine alone."""
    from bot import log
    from bot.demo.run import demo as run

    log.configure("error", "text")
    sys.exit(asyncio.run(run(keep=keep, as_json=as_json)))


@towpath.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("."))
@click.option("--format", "style", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--explain", is_flag=True, help="Print the long form of what is valid.")
def check(path: Path, style: str, explain: bool) -> None:
    """Name every problem of a configuration: exit 0 for none, 1 for some, 2 if it can't be read."""
    from bot.app import PLUG_INS
    from bot.cli.check import Format
    from bot.cli.check import check as run

    sys.exit(run(path, Format(style), explain, PLUG_INS.schemas(), sys.stdout, sys.stderr))


@towpath.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("."))
@click.option("--format", "style", type=click.Choice(["mermaid", "svg", "json"]), default="mermaid", show_default=True)
@click.option("--output", type=_FILE, help="Where to write it.  [default: standard output]")
def graph(path: Path, style: str, output: Path | None) -> None:
    """Draw the pipeline, from its warehouses to its last stages."""
    from bot.app import PLUG_INS
    from bot.cli.graph import Picture
    from bot.cli.graph import graph as run

    sys.exit(run(path, Picture(style), output, PLUG_INS.schemas(), sys.stdout, sys.stderr))


@towpath.command()
@click.argument("stage")
@click.argument("path", type=click.Path(path_type=Path), default=Path("."))
@click.option("--freight", multiple=True, metavar="NAME", help="Alias, id or version of freight that a lock has.")
@click.option("--set", "versions", multiple=True, metavar="NAME=VERSION", help="NAME: a subscription or its repoURL.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write the files to this folder.")
@click.option("--diff", is_flag=True, help="Show what would change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_DOCKER_CONFIG
def render(
    stage: str,
    path: Path,
    freight: tuple[str, ...],
    versions: tuple[str, ...],
    out: Path | None,
    diff: bool,
    as_json: bool,
    docker_config: Path | None,
) -> None:
    """Show what promoting into STAGE would write, from the checkout at PATH as it is, its uncommitted changes included.

    Nothing in the checkout is touched. Steps that need a remote are skipped, and the stage's lock is left out, which
    says when and by whom. Without --freight and --set it is what the stage holds now, else what a stage before it
    does. An image's digest is asked for only where the steps use it and no lock has it; or give NAME=TAG@DIGEST.

    Exit status 0 when rendered, 1 when a step failed or something is wrong, 2 if a file can't be read or written.
    """
    from bot.cli.freight import Wanted
    from bot.cli.render import Asked
    from bot.workbench import render_checkout

    pairs = [each.partition("=") for each in versions]
    if not all(name and version for name, _, version in pairs):
        raise click.UsageError("--set takes NAME=VERSION")
    wanted = Wanted(freight, [(name, version) for name, _, version in pairs])
    asked = Asked(stage, wanted, out, diff, as_json)
    sys.exit(asyncio.run(render_checkout(path, asked, docker_config, sys.stdout, sys.stderr)))


@towpath.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("."), metavar="[CONFIG]")
@click.option("--warehouse", default="", help="Ask only this one.")
@click.option("--json", "as_json", is_flag=True, help="An array with an object for each warehouse.")
@_DOCKER_CONFIG
def discover(path: Path, warehouse: str, as_json: bool, docker_config: Path | None) -> None:
    """Say what the warehouses hold now: exit 0 if all do, 1 if one finds nothing or fails, 2 for a bad CONFIG."""
    from bot.app import PLUG_INS
    from bot.cli.discover import discover as run
    from bot.standalone import discover as ask

    sys.exit(run(path, warehouse, as_json, PLUG_INS.schemas(), partial(ask, docker_config), sys.stdout, sys.stderr))


@towpath.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("."), metavar="[CONFIG]")
@click.option("--repository", required=True, metavar="OWNER/NAME", help="The repository whose receivers they are.")
@click.option(
    "--secrets-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="SECRETS_DIR",
    show_envvar=True,
    required=True,
    help="The folder of all repositories' secrets.",
)
@click.option("--url", default="", help="Where Towpath is reached.  [default: print the paths alone]")
@click.option("--json", "as_json", is_flag=True, help="An array with an object for each receiver.")
def receivers(path: Path, repository: str, secrets_dir: Path, url: str, as_json: bool) -> None:
    """Print the addresses of the webhook receivers. They are secrets: exit 0 if all have one, 1 if not, 2 for a bad
    CONFIG."""
    from bot.app import PLUG_INS
    from bot.cli.receivers import receivers as run
    from bot.core.model import RepositoryName
    from bot.engine.redaction import Redactor
    from bot.engine.secrets import RepositorySecrets

    if repository.count("/") != 1 or not all(repository.split("/")):
        raise click.UsageError("--repository takes OWNER/NAME")
    secrets = RepositorySecrets(RepositoryName(repository), secrets_dir, {}, Redactor())
    schemas, senders = PLUG_INS.schemas(), PLUG_INS.senders
    sys.exit(run(path, repository, url, as_json, schemas, senders, secrets.get, sys.stdout, sys.stderr))


@towpath.command("import")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DIR|FILE...")
@click.option("--output", type=_FILE, help="Where to write it.  [default: standard output]")
def import_(paths: tuple[Path, ...], output: Path | None) -> None:
    """Make one tidy .promotion.yaml of Kargo's manifests: exit status as for check."""
    from bot.app import PLUG_INS
    from bot.cli.importing import import_ as run

    sys.exit(run(paths, output, PLUG_INS.schemas(), sys.stdout, sys.stderr))


@towpath.command()
def schema() -> None:
    """Print the JSON Schema of `.promotion.yaml`, for editors."""
    from bot.app import PLUG_INS
    from bot.cli.schema import text

    click.echo(text(PLUG_INS.schemas()), nl=False)


def _stop_on_signal() -> asyncio.Event:
    """Set when somebody asks for the end, politely."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def main() -> None:
    """Entry point. Exit status 1 for a person's mistake, 70 (EX_SOFTWARE) for ours."""
    try:
        towpath()
    except UserError as error:
        click.echo(f"towpath: {error}", err=True)
        sys.exit(1)
    except Broken as error:
        click.echo(f"towpath: {error}", err=True)
        sys.exit(_EX_SOFTWARE)


if __name__ == "__main__":
    main()
