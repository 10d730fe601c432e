"""The sandbox serves the machine it runs on, whatever address its server was told to bind."""

import ipaddress
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_FORBIDDEN = 403


class LoopbackOnly:
    """Refuse every caller from elsewhere: nobody signs in here, and the control addresses do as they are told."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer callers of this machine."""
        if not _is_loopback(request.META.get("REMOTE_ADDR", "")):
            return HttpResponse("The sandbox answers its own machine only.", status=_FORBIDDEN)
        return self.get_response(request)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
