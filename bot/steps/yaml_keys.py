"""The keys of yaml-update and its kin, as Kargo writes them: `image.tag`, `env.0.value`, `annotations.a\\.b/c`."""

from bot.errors import UserError


def split_key(key: str) -> tuple[str, ...]:
    r"""The parts of a key. `\.` and `\:` stand for the letter itself; a part may begin with `:`, which says that
    digits after it are a name. Raises UserError.

    https://github.com/tidwall/sjson#path-syntax
    """
    if not key:
        raise UserError("a key is empty; write one like image.tag")
    parts: list[str] = []
    part = ""
    letters = iter(key)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "")
            if escaped not in {".", ":", "\\"} or not escaped:
                raise UserError(rf"the key {key!r} has an escape that means nothing; only \. and \: do")
            part += escaped
        elif letter == ".":
            parts.append(part)
            part = ""
        elif letter == ":" and part:
            raise UserError(rf"the key {key!r} has a colon within; write it as \:")
        elif letter != ":":
            part += letter
    parts.append(part)
    if "" in parts:
        raise UserError(f"the key {key!r} has an empty part; write one dot between two names")
    return tuple(parts)
