"""Text files of the promotion's folder, for the steps that read them and change values in them."""

from pathlib import Path

from bot.core.yaml_depth import DEEPEST, too_deep
from bot.errors import UserError
from bot.steps.files.targets import writable
from bot.steps.workspace import existing

MOST_BYTES = 10 * 1024 * 1024


def read_text(folder: Path, path: str) -> str:
    """Raises UserError for what is no file, larger than 10 MiB, or not UTF-8."""
    try:
        return read_bytes(folder, path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text: {error}") from error


def read_bytes(folder: Path, path: str) -> bytes:
    """Raises UserError for what is no file, or larger than 10 MiB."""
    file = existing(folder, path, "file")
    if file.stat().st_size > MOST_BYTES:
        raise UserError(f"{path} is larger than {MOST_BYTES // 1024 // 1024} MiB, the most that is read of a file")
    return file.read_bytes()


def write_text(folder: Path, path: str, text: str) -> None:
    """Put a text into a file, folders above it included. Raises UserError for a place that is not to be written."""
    file = writable(folder, path)
    if file.is_dir():
        raise UserError(f"{path!r} is a folder; name a file")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode("utf-8"))


def refuse_deep(text: str, path: str) -> None:
    """Raises UserError for YAML nested too deep: composing it would take the whole process along."""
    if too_deep(text):
        raise UserError(f"{path} is nested more than {DEEPEST} levels deep")
