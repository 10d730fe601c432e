"""TCP ports: free ones, and a clear word about taken ones."""

import contextlib
import errno
import os
import socket
from collections.abc import Mapping

from ehrconnector.stack.errors import StackError

LOOPBACK = "127.0.0.1"
HIGHEST = 65535


def free_port() -> int:
    """Return a loopback port nobody listens on right now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_from(variable: str, *, default: int, environ: Mapping[str, str] = os.environ) -> int:
    """Read a port from a variable; 0 stands for any free one.

    :raises StackError: when the value is no port number.
    """
    text = environ.get(variable, "").strip() or str(default)
    if not text.isdigit() or int(text) > HIGHEST:
        raise StackError(f"{variable}={text} is no port number. Use a number from 1 to 65535.")
    return int(text) or free_port()


def require_free(port: int, *, variable: str, purpose: str) -> None:
    """Make sure that we could listen on ``port``.

    :raises StackError: when another program listens there, naming the variable that moves us away.
    """
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise StackError(
                f"Port {port} for {purpose} needs root. Set {variable} to a port above 1023: {variable}={port + 8000}."
            ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise StackError(
                f"Port {port} for {purpose} is taken by another program. "
                f"Stop that program, or choose another port with {variable}, for example {variable}={port + 1}."
            ) from error
