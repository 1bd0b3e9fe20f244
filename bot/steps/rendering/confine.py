"""Starting a program that reaches only what it is given: files and folders, and one TCP port.

helm and kustomize follow symbolic links and `..` wherever a chart or a fetched kustomization has them, and being
written in Go they ask this machine directly whatever proxy they are told of. What they are told not to do is one guard;
this is the other: the kernel's Landlock keeps them, and all they start, from the rest of the machine: other tenants'
folders, secrets, keys and the database. https://docs.kernel.org/userspace-api/landlock.html
https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
"""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_FILES_SINCE, _TRUNCATE_SINCE, _NETWORK_SINCE, _IOCTL_SINCE, _SCOPES_SINCE = 2, 3, 4, 5, 6
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2
_SET_NO_NEW_PRIVS = 38

# Bits in the order of the kernel's documentation: https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ALL_OF_VERSION_2 = (1 << 14) - 1
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_MAKE_DEVICES = 1 << 6 | 1 << 11
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL  # the other rights are those of folders
_READ, _RUN = _READ_FILE | _READ_DIR, _EXECUTE | _READ_FILE | _READ_DIR
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS_AND_SIGNALS = 3

# What programs of any kind need of the machine: themselves, their libraries, certificates, names and time zones.
_PROGRAMS = (
    "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64",
    "/usr/libexec", "/usr/local/bin", "/usr/local/lib", "/nix/store", "/gnu/store",
)  # fmt: skip
_SHARED = (
    "/usr/share", "/usr/local/share", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/openssl.cnf", "/etc/ca-certificates",
    "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust", "/etc/gnutls",
    "/etc/crypto-policies", "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
    "/etc/services", "/etc/protocols", "/etc/mime.types", "/etc/localtime", "/etc/timezone",
    "/dev/random", "/dev/urandom", "/dev/zero",
)  # fmt: skip


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _PortRule(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


@dataclass(frozen=True, slots=True)
class Fence:
    """What a program may reach, beside what every program needs: below `writes` it reads and writes, below `reads` it
    reads, what is in `runs` it starts. `port` is the one TCP port that it connects to; 0 stands for all."""

    writes: Sequence[Path] = ()
    reads: Sequence[Path] = ()
    runs: Sequence[Path] = ()
    port: int = 0


def version() -> int:
    """Which Landlock the kernel has; 0 for none, or where it is switched off."""
    if sys.platform != "linux":
        return 0
    number: int = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    return max(number, 0)


def possible() -> bool:
    """Whether the kernel keeps a program to one port (Linux 6.7)."""
    return version() >= _NETWORK_SINCE


def holds_files() -> bool:
    """Whether the kernel keeps a program to some files and folders (Linux 5.19)."""
    return version() >= _FILES_SINCE


def missing() -> str:
    """What this kernel can't hold programs by, for the log; "" for nothing."""
    if not holds_files():
        return "files and ports: that takes Landlock, as of Linux 6.7"
    return "" if possible() else "ports of this machine: that takes Landlock as of Linux 6.7"


def start(
    arguments: Sequence[str], fence: Fence, *, folder: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a program in `folder` and in a session of its own, as far within its fence as the kernel can hold it.

    Landlock holds the thread that asks for it and what that starts, so a thread is made for it: a program in between
    would take longer to start than helm does. Raises OSError.
    """
    done: list[subprocess.Popen[bytes]] = []
    failed: list[BaseException] = []

    def in_thread() -> None:
        try:
            _enclose(fence, arguments[0])
            done.append(
                subprocess.Popen(
                    list(arguments),
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            )
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            failed.append(error)

    thread = threading.Thread(target=in_thread, name="confine")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def _enclose(fence: Fence, program: str) -> None:
    """This thread, for good."""
    known = version()
    if known < _FILES_SINCE:
        return
    files = (
        _ALL_OF_VERSION_2 | (_TRUNCATE if known >= _TRUNCATE_SINCE else 0) | (_IOCTL if known >= _IOCTL_SINCE else 0)
    )
    ports = _BIND_TCP | _CONNECT_TCP if fence.port and known >= _NETWORK_SINCE else 0
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if known >= _SCOPES_SINCE else 0
    wanted = _Ruleset(files, ports, scopes)
    number = _call(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(ctypes.sizeof(wanted)), 0)
    try:
        write = files & ~(_MAKE_DEVICES | _EXECUTE | _IOCTL)
        _allow(number, _RUN, (*_PROGRAMS, *_runtime(), program, *fence.runs))
        _allow(number, _READ, (*_SHARED, *fence.reads))
        _allow(number, write, ("/dev/null", *fence.writes))
        if ports:
            rule = _PortRule(_CONNECT_TCP, fence.port)
            _call(_ADD_RULE, number, _RULE_NET_PORT, ctypes.byref(rule), 0)
        if _libc().prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError("the kernel refuses no_new_privs, without which it has no Landlock")
        _call(_RESTRICT_SELF, number, 0)
    finally:
        os.close(number)


def _runtime() -> Iterable[str]:
    """This Python, which stands in for helm where kustomize calls it."""
    for home in {sys.prefix, sys.base_prefix}:
        yield from (f"{home}/{name}" for name in ("bin", "lib", "lib64", "pyvenv.cfg"))


def _allow(ruleset: int, allowed: int, paths: Sequence[str | Path]) -> None:
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, PermissionError):  # not on this machine, or not ours to see
            continue
        try:
            rule = _PathRule(allowed if os.path.isdir(path) else allowed & _OF_FILES, place)
            _call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(place)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: Any) -> int:
    answer: int = _libc().syscall(number, *arguments)
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"the kernel's Landlock: {os.strerror(code)}")
    return answer
