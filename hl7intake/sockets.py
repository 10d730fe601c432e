"""Sockets of the listener."""

import errno
import socket

_BACKLOG = 512
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# A peer that vanished behind a firewall is noticed after about five minutes; a silent one may stay for days.
_KEEPALIVE = {"TCP_KEEPIDLE": 180, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 4}


def bind(host: str, port: int) -> socket.socket:
    """Return a listening, non-blocking socket; several processes of ours may share its address.

    :raises OSError: when somebody else has it.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.settimeout(0)
    except OSError:
        listening.close()
        raise
    return listening


def tune(accepted: socket.socket) -> None:
    """Answer without delay, and notice peers that vanished."""
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            accepted.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def pause_after(error: OSError) -> float:
    """Return how many seconds to wait before accepting again; nothing tells us when a descriptor is free."""
    return 1.0 if error.errno in _OUT_OF_RESOURCES else 0.0
