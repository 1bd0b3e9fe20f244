"""Ports for servers that are started later, by number.

One that the kernel gives and takes back may be somebody else's by then. These are below those it gives by itself, and
each worker has its own: https://docs.kernel.org/networking/ip-sysctl.html#ip-variables (ip_local_port_range)
"""

import os
import socket
from itertools import count

_FIRST, _EACH, _WORKERS = 20_000, 750, 16
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS  # noqa: TID251
_next = count(os.getpid() % _EACH)


def free_port() -> int:
    """One that nobody listens at, and none that was given before."""
    while True:
        port = _FIRST + _worker * _EACH + next(_next) % _EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
