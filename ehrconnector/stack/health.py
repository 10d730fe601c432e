"""Asks a process over HTTP whether it is healthy."""

import http.client
import json
from dataclasses import dataclass
from http import HTTPStatus

from ehrconnector.stack.ports import LOOPBACK

_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Health:
    """An answer: healthy or not, and why not."""

    is_healthy: bool
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A health page of a process on this machine."""

    name: str
    port: int
    path: str
    host_header: str = LOOPBACK

    def ask(self) -> Health:
        """Ask once."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", self.path, headers={"Host": self.host_header, "Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return Health(is_healthy=False, reason=f"no answer on port {self.port} ({error})")
        finally:
            connection.close()
        if answer.status == HTTPStatus.OK:
            return Health(is_healthy=True)
        return Health(is_healthy=False, reason=_explain(answer.status, body))


def _explain(status: int, body: str) -> str:
    """Name the parts that do not work, when the page says so."""
    try:
        failed = [name for name, works in json.loads(body)["parts"].items() if not works]
    except (ValueError, KeyError, TypeError, AttributeError):
        failed = []
    return f"status {status}, not working: {', '.join(failed)}" if failed else f"status {status}, {body[:200]}"
