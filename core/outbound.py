"""The guard at the socket: which addresses our HTTP client may dial.

A name is resolved once, every address it has is checked, and the checked one is dialled, so a
resolver that changes its mind between check and connection gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass, field

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from core.errors import ConfigurationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Ranges that Python 3.11 calls global although they lead inside, or to a cloud's own control plane.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in ("100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "64:ff9b::/96", "2002::/16", "fec0::/10")
)
_HTTPS_PORT = 443


@dataclass(frozen=True, kw_only=True)
class OutboundPolicy:
    """What the operator allows beyond public https addresses.

    :param allowed_networks: networks that may be dialled although they are not public, on any port.
    :param allow_http: whether plain http is accepted, and then only inside ``allowed_networks``.
    """

    allowed_networks: tuple[Network, ...] = field(default=())
    allow_http: bool = False

    @classmethod
    def parse(cls, networks: list[str], *, allow_http: bool) -> "OutboundPolicy":
        """Build a policy from CIDR texts.

        :raises ValueError: when a text is no network.
        """
        return cls(allowed_networks=tuple(ipaddress.ip_network(text) for text in networks), allow_http=allow_http)

    def check(self, address: Address, *, port: int, is_https: bool) -> None:
        """Refuse an address that must not be dialled.

        :raises ConfigurationError: ``http.address_refused`` or ``http.not_https``.
        """
        is_allowed = any(address in network for network in self.allowed_networks)
        if not is_allowed and (not is_public(address) or port != _HTTPS_PORT):
            raise ConfigurationError(
                "http.address_refused",
                "The address is not public. The operator can allow it with OUTBOUND_ALLOWED_NETWORKS.",
                detail=f"{address} port {port}",
            )
        if not is_https and not (self.allow_http and is_allowed):
            raise ConfigurationError("http.not_https", "The address does not start with https.")


def is_public(address: Address) -> bool:
    """Return whether ``address`` belongs to somebody on the internet, not to us, a peer or a cloud."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(mapped)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address.version == network.version and address in network for network in _NOT_PUBLIC)


def open_socket(
    host: str, port: int, *, is_https: bool, policy: OutboundPolicy, timeout: float | None
) -> socket.socket:
    """Resolve ``host``, check every address and connect to the first that answers.

    :raises ConfigurationError: when any of its addresses is refused.
    :raises OSError: when none answers.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, target in found:
        policy.check(ipaddress.ip_address(str(target[0]).split("%")[0]), port=port, is_https=is_https)
    last_error: OSError | None = None
    for family, kind, protocol, _, target in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect(target)
        except OSError as error:
            connection.close()
            last_error = error
        else:
            return connection
    raise last_error or OSError("the name has no address")


def connection_classes(policy: OutboundPolicy) -> tuple[type[HTTPConnection], type[HTTPSConnection]]:
    """Return urllib3 connection classes for http and https that obey ``policy``."""

    class GuardedHTTPConnection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _dial(self, policy, is_https=False)

    class GuardedHTTPSConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _dial(self, policy, is_https=True)

    return GuardedHTTPConnection, GuardedHTTPSConnection


def _dial(connection: HTTPConnection, policy: OutboundPolicy, *, is_https: bool) -> socket.socket:
    """Open the socket of ``connection`` through the guard, failing in urllib3's own words."""
    timeout = connection.timeout if isinstance(connection.timeout, int | float) else None
    try:
        return open_socket(
            connection._dns_host,  # noqa: SLF001 - the host without a trailing dot, as urllib3 itself dials it
            connection.port or _HTTPS_PORT,
            is_https=is_https,
            policy=policy,
            timeout=timeout,
        )
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, f"no connection to {connection.host} in {timeout} s") from error
    except OSError as error:
        raise NewConnectionError(connection, f"no connection: {error}") from error
