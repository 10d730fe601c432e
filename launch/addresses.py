"""Where a request comes from."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

_ONE_HOUSEHOLD = 64  # bits: the smallest IPv6 network that providers hand out


def client_network(request: HttpRequest) -> str:
    """Return the address whose tries are counted together; of IPv6 the /64, which one person controls.

    Only the last entry of ``X-Forwarded-For`` is believed, and only behind our own proxy
    (``BEHIND_TLS_PROXY``): it is the one the proxy itself added. The entries before it are the client's.
    """
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    given = forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(given)
    except ValueError:
        return given  # a Unix socket, or a proxy that writes a port; counted as it stands
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((address, _ONE_HOUSEHOLD), strict=False))
    return str(address)
