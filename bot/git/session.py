"""Where one running Towpath keeps the git directories of its work trees; what killed ones left is taken away."""

import fcntl
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4


class Session:
    """A folder of our own, under a file that is locked as long as we live. Everything here blocks."""

    def __init__(self, parent: Path) -> None:
        """Take away what those left who live no longer, and make a folder."""
        parent.mkdir(parents=True, exist_ok=True)
        for old in parent.glob("*.lock"):
            _remove_if_abandoned(old)
        self.folder = parent / f"session-{uuid4().hex}"
        self._file = self.folder.with_suffix(".lock")
        growing = self.folder.with_suffix(".new")  # locked before anybody can find it by its name
        self._lock = os.open(growing, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        growing.rename(self._file)
        self.folder.mkdir(mode=0o700)

    def new_folder(self) -> Path:
        return Path(mkdtemp(dir=self.folder))

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._file.unlink(missing_ok=True)
        os.close(self._lock)


def _remove_if_abandoned(file: Path) -> None:
    try:
        lock = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # its owner lives
    else:
        shutil.rmtree(file.with_suffix(""), ignore_errors=True)
        file.unlink(missing_ok=True)
    finally:
        os.close(lock)
