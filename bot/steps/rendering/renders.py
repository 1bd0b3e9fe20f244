"""Rendering once what was rendered before: the key of an input, and whether it may have one.

Whoever has the same input gets the same output, so nothing is kept that is not the same each time: Helm's functions
for random values, keys, certificates and the time. Such a chart is rendered anew at each promotion, as by Helm itself.
https://helm.sh/docs/chart_template_guide/function_list/
"""

import gzip
import hashlib
import io
import os
import re
import secrets
import tarfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.contracts.steps import Programs, Rendered
from bot.errors import UserError
from bot.steps.workspace import remove

# One program for each core is at work, and is done before its garbage is worth collecting, unless there is much of it.
# https://pkg.go.dev/runtime#hdr-Environment_Variables
SPARING: Mapping[str, str] = {"GOGC": "off", "GOMEMLIMIT": "256MiB", "GOMAXPROCS": "1"}
# As it starts, helm reads kubectl's help in the language it finds here, and English, as any other that is translated,
# takes it nearly as long as rendering a chart. Of Chinese as it is written in Taiwan there are a few lines. None of
# them are of helm's own, and nothing else depends on it: Go's programs know no locales.
# https://github.com/kubernetes/kubectl/blob/master/pkg/util/i18n/i18n.go
UNTRANSLATED: Mapping[str, str] = {"LC_ALL": "zh_TW.UTF-8"}
_MOST_FILES = 20_000
_MOST_BYTES = 64 * 1024 * 1024
_SCRATCH = ".towpath-"
_ARCHIVES = (".tgz", ".tar.gz")
# `lookup` and `getHostByName` are not among them: without a cluster and without `--enable-dns` they give nothing.
_CHANGING = re.compile(
    rb"""(?<![.$\w"'-])(?:rand(?:Alpha|AlphaNum|Ascii|Numeric|Bytes|Int)|shuffle|uuidv4"""
    rb"""|gen(?:CA|SelfSignedCert|SignedCert|PrivateKey|CAWithKey|SelfSignedCertWithKey|SignedCertWithKey)"""
    rb"""|encryptAES|bcrypt|htpasswd|now|ago|date|date_in_zone|dateInZone|htmlDate|htmlDateInZone)\b"""
)

Content = Mapping[str, bytes]  # files by path


def content_of(folder: Path) -> dict[str, bytes] | None:
    """Every file below a folder, or the one file, links to files followed, by its path.

    None for what is too much to compare, and for folders that are links.
    """
    if folder.is_file():
        return {folder.name: folder.read_bytes()} if folder.stat().st_size <= _MOST_BYTES else None
    try:
        return _files(folder)
    except OSError:  # a link to nowhere, a file that goes away: whoever renders it will say so
        return None


def _files(folder: Path) -> dict[str, bytes] | None:
    found: dict[str, bytes] = {}
    size, waiting = 0, [(str(folder), "")]
    while waiting:
        where, prefix = waiting.pop()
        with os.scandir(where) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.is_dir():
                    if entry.name.startswith(_SCRATCH) or entry.name == ".git":
                        continue
                    if entry.is_symlink():
                        return None
                    waiting.append((entry.path, f"{name}/"))
                    continue
                with open(entry.path, "rb", buffering=0) as file:
                    size += os.fstat(file.fileno()).st_size
                    if size > _MOST_BYTES or len(found) >= _MOST_FILES:
                        return None
                    found[name] = file.readall()
    return found


def key_of(programs: Programs, settings: Sequence[str], *inputs: Content | None) -> str:
    """The key of all this together; "" where it may change from one time to the next, or is not known."""
    known = [one for one in inputs if one is not None]
    if not programs.version or len(known) < len(inputs):
        return ""
    texts = [("", text.encode()) for text in settings]
    texts += [item for content in known for item in content.items()]
    if any(_may_change(name, data) for name, data in texts):
        return ""
    digest = hashlib.sha256()
    for part in (programs.version, str(len(settings)), *settings):
        _add(digest.update, part.encode())
    for content in known:
        _add(digest.update, b"%d files" % len(content))
        for name in sorted(content):
            _add(digest.update, name.encode("utf-8", "surrogateescape"))
            _add(digest.update, content[name])
    return digest.hexdigest()


def _add(update: Callable[[bytes], None], data: bytes) -> None:
    """With its length, so that no two inputs run into the same bytes."""
    update(b"%d:" % len(data))
    update(data)


def _may_change(name: str, data: bytes) -> bool:
    """Whether a template uses what gives something else each time. A template is any file with an action in it: `tpl`
    makes one of any text. A word too many only costs time."""
    if name.endswith(_ARCHIVES):
        return _archive_may_change(data)
    return b"{{" in data and any(_CHANGING.search(rest.partition(b"}}")[0]) for rest in data.split(b"{{")[1:])


def _archive_may_change(data: bytes) -> bool:
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            plain = packed.read(_MOST_BYTES + 1)
        if len(plain) > _MOST_BYTES:
            return True
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None and _may_change(member.name, file.read()):
                    return True
    except (OSError, EOFError, zlib.error, tarfile.TarError):
        return True
    return False


def recall(programs: Programs, key: str) -> Rendered | None:
    """What was rendered before for this key. Blocks."""
    return programs.cache.kept(key) if programs.cache and key else None


async def render(programs: Programs, key: str, make: Callable[[], Awaitable[Rendered | None]]) -> Rendered:
    """What was rendered before for this key, or what `make` renders now; it gives None when its input has changed
    under its hands."""
    files = await (programs.cache.render(key, make) if programs.cache else make())
    if files is None:
        raise UserError("the files to render changed while they were rendered")
    return files


@asynccontextmanager
async def scratch(root: Path) -> AsyncIterator[Path]:
    """A folder of its own for one program, below that of the promotion."""
    path = root / f"{_SCRATCH}{secrets.token_hex(6)}"
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        remove(path)
