"""What the Teams adapter needs to know about one Entra application: plain values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ClientCertificate:
    """A certificate registered with the Entra application and its RSA private key, both PEM."""

    certificate: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TeamsConnection:
    """One application in one tenant. It proves itself by certificate (preferred) or secret."""

    entra_base_url: str
    graph_base_url: str
    tenant_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    certificate: ClientCertificate | None = None
