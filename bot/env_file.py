"""The format of env files, as Docker Compose and shells write them. What the names mean is told in `bot.settings`."""

import re
from pathlib import Path

from bot.errors import UserError

_ENTRY = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*
        (?:'(?P<literal>[^']*)' | "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<bare>(?:(?<==)|(?!\#))(?!['"])[^\r\n]*?))
        (?:[ \t]+\#[^\r\n]*)?[ \t]*(?:\r?\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t]*(?:\#[^\r\n]*)?(?:\r?\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(path: Path) -> dict[str, str]:
    """The values in a file of NAME=VALUE lines: `#` comments, 'literal' and "quoted\\n" values, over several
    lines too. https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax

    Raises UserError, which never repeats a line: it may be a secret's.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"env file {str(path)!r}: can't be read: {reason}") from error
    values: dict[str, str] = {}
    position = 0
    while position < len(text):
        if blank := _BLANK.match(text, position):
            position = blank.end()
            continue
        entry = _ENTRY.match(text, position)
        if entry is None:
            line = text.count("\n", 0, position) + 1
            raise UserError(f"env file {str(path)!r}, line {line}: wants NAME=VALUE, and quotes closed")
        if entry["quoted"] is not None:
            value = re.sub(r"(?s)\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), entry["quoted"])
        else:
            value = entry["literal"] if entry["literal"] is not None else entry["bare"]
        values[entry["name"]] = value
        position = entry.end()
    return values
