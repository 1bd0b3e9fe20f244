"""Run as a program: let another program connect to one TCP port only, then become it.

`python confine.py PORT PROGRAM ARGUMENT…`. Programs written in Go ask this machine directly whatever proxy they are
told of, and would follow a redirect there: https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
The kernel's Landlock keeps them from it where it can (Linux 6.7): https://docs.kernel.org/userspace-api/landlock.html
"""

import ctypes
import os
import sys

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_NETWORK_SINCE = 4
_CONNECT_TCP = 2
_RULE_NET_PORT = 2
_SET_NO_NEW_PRIVS = 38


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64), ("handled_access_net", ctypes.c_uint64))


class _PortRule(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def possible() -> bool:
    """Whether the kernel can do that."""
    version: int = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    return version >= _NETWORK_SINCE


def confine(port: int) -> bool:
    """Let this process, and all it starts, connect to this TCP port only. Whether that is so now."""
    if not possible():
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    wanted, rule = _Ruleset(0, _CONNECT_TCP), _PortRule(_CONNECT_TCP, port)
    number = libc.syscall(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(ctypes.sizeof(wanted)), 0)
    if number < 0:
        return False
    try:
        return not (
            libc.syscall(_ADD_RULE, number, _RULE_NET_PORT, ctypes.byref(rule), 0)
            or libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            or libc.syscall(_RESTRICT_SELF, number, 0)
        )
    finally:
        os.close(number)


if __name__ == "__main__":
    confine(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is wanted
