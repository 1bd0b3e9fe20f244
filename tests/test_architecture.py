"""Who may import whom (DESIGN §4), how long a file may be, and names that say nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"

PURE = {"core", "expressions", "errors"}
PLUG_INS = {"steps", "subscriptions", "metrics", "commands"}
EDGES = {"github", "gitlab", "git", "registry"}

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "log": set(),
    "core": PURE,
    "expressions": PURE,
    "contracts": {"core", "errors"},
    "settings": {"core", "errors", "env_file", "settings_values"},
    "settings_values": {"core"},
    "env_file": {"errors"},
    "rendering": {"contracts", "errors"},
    **{name: {"core", "expressions", "contracts", "errors"} for name in PLUG_INS | EDGES},
    "engine": {"core", "expressions", "contracts", "errors"},
    "server": {"core", "contracts", "errors", "engine"},
    "cli": {"core", "expressions", "contracts", "errors"},
    "sandbox": {"errors", "env_file"},
}
WIRING = {
    "app",
    "__main__",
    "demo",
    "forges",
    "installed",
    "standalone",
    "workbench",
}  # the files that know every folder

BANNED_IN_CORE = {"asyncio", "aiohttp", "os", "pathlib", "socket", "subprocess", "time", "threading"}


def area(path: Path) -> str:
    return path.relative_to(BOT).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return sorted(p for p in BOT.rglob("*.py") if area(p) != "__init__")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_folder_imports_only_what_it_may(path: Path) -> None:
    here = area(path)
    if here in WIRING:
        return
    used = {name.split(".")[1] for name in imports(path) if name.startswith("bot.")}

    assert used <= ALLOWED[here] | {here}


@pytest.mark.parametrize("path", modules(), ids=named)
def test_plug_ins_do_not_know_one_another(path: Path) -> None:
    """Those whose folder's `__init__` lists them; what several share lies beside them, and lists nothing."""
    here = area(path)
    if here not in PLUG_INS or path.name == "__init__.py":
        return
    listed = {Path(name.replace(".", "/")).name for name in imports(BOT / here / "__init__.py")}
    used = {name.split(".")[2] for name in imports(path) if name.startswith(f"bot.{here}.")}

    assert not used & listed


@pytest.mark.parametrize("path", [p for p in modules() if area(p) in PURE], ids=named)
def test_the_core_is_pure(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & BANNED_IN_CORE
    assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Await)]


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_file_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= 320
    assert not text.strip() or ast.get_docstring(ast.parse(text))
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


def test_every_folder_is_a_package_so_that_an_installed_towpath_has_it() -> None:
    folders = {path.parent for path in BOT.rglob("*.py")}

    assert not [named(folder) for folder in folders if not (folder / "__init__.py").exists()]
