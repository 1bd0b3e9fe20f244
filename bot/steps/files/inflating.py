"""Reading an archive that may be compressed, and may be made to fill whatever it is taken to."""

import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.errors import UserError

MOST_BYTES = 100 * 1024 * 1024  # as in Kargo
MOST_ENTRIES = 10_000
_MOST_HEADERS = 32 * 1024 * 1024  # beside its files: names, paddings, the empty blocks of the end
_FREE = 1024 * 1024
_MOST_TIMES = 200  # what an archive grows by; text that people write seldom shrinks to less than a 20th
_CHUNK = 64 * 1024
_GZIP = b"\x1f\x8b"


class Inflated:
    """The content of a file, uncompressed if it begins as gzip does, for reading from its start to its end.

    Raises UserError, naming `path`, once more comes out than a sound archive has; zlib.error or EOFError for gzip that
    is damaged.
    """

    def __init__(self, file: Path, path: str) -> None:
        self._file = file.open("rb")
        self._size = file.stat().st_size
        self._path = path
        zipped = self._file.read(2) == _GZIP
        self._file.seek(0)
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if zipped else None
        self._given = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end."""
        parts = []
        missing = size
        while missing > 0 and (part := self._more(min(missing, _CHUNK))):
            parts.append(part)
            missing -= len(part)
            self._count(len(part))
        return b"".join(parts)

    def _more(self, size: int) -> bytes:
        if self._inflate is None:
            return self._file.read(size)
        while True:
            if self._inflate.eof:  # another member may follow: https://www.rfc-editor.org/rfc/rfc1952#section-2.2
                rest = self._inflate.unused_data or self._file.read(_CHUNK)
                if not rest.strip(b"\0"):
                    return b""
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            else:
                rest = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            out = self._inflate.decompress(rest, size)
            if out:
                return out
            if not rest and not self._inflate.eof:
                raise EOFError("it ends too early")

    def _count(self, more: int) -> None:
        self._given += more
        if self._given > MOST_BYTES + _MOST_HEADERS:
            raise UserError(f"{self._path} holds more than {MOST_BYTES:,} bytes, the most that is taken")
        if self._inflate is not None and self._given > max(_FREE, _MOST_TIMES * self._size):
            raise UserError(f"{self._path} grows to more than {_MOST_TIMES} times its size; no sound archive does")
