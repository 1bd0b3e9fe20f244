r"""The keys of yaml-update and its kin, as Kargo writes them: `image.tag`, `env.0.value`, `annotations.a\.b/c`."""

from dataclasses import dataclass

from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Part:
    """A name, or a place in a list. `is_name`: a colon before it says that digits are a name."""

    text: str
    is_name: bool = False

    @property
    def is_place(self) -> bool:
        return not self.is_name and (self.text == "-1" or (self.text.isascii() and self.text.isdecimal()))


def split_key(key: str) -> tuple[str, ...]:
    """The parts of a key as texts. Raises UserError."""
    return tuple(part.text for part in key_parts(key))


def key_parts(key: str) -> tuple[Part, ...]:
    r"""The parts of a key. `\.` and `\:` stand for the letter itself; a part may begin with `:`, which says that
    digits after it are a name. Raises UserError.

    https://github.com/tidwall/sjson#path-syntax
    """
    if not key:
        raise UserError("a key is empty; write one like image.tag")
    parts: list[Part] = []
    part, is_name = "", False
    letters = iter(key)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "")
            if escaped not in {".", ":", "\\"} or not escaped:
                raise UserError(rf"the key {key!r} has an escape that means nothing; only \. and \: do")
            part += escaped
        elif letter == ".":
            parts.append(Part(part, is_name))
            part, is_name = "", False
        elif letter == ":" and part:
            raise UserError(rf"the key {key!r} has a colon within; write it as \:")
        elif letter == ":":
            is_name = True
        else:
            part += letter
    parts.append(Part(part, is_name))
    if any(not part.text for part in parts):
        raise UserError(f"the key {key!r} has an empty part; write one dot between two names")
    return tuple(parts)
