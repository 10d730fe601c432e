"""The environments the stack gives to its processes.

One place for every value of the demonstration, the tests and the checks, so that a new required
variable is added once.
"""

import base64
import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ehrconnector.stack import ports

TENANT_ID = "11111111-2222-4333-8444-555555555555"  # of the sandbox's Entra

_NOT_FOR_PRODUCT = ("SANDBOX_DATABASE_URL", "SANDBOX_SECRET_KEY", "DATABASE_OWNER_URL")
_KEPT_FROM_OUTSIDE = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LOG_LEVEL", "VIRTUAL_ENV", "WEB_CONCURRENCY")


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


# What the demonstration invents once and keeps: secrets must outlive a restart to stay useful.
SECRETS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "ENCRYPTION_KEYS": lambda: f"k1:{_key()}",
    "INDEX_KEY": _key,
    "ENTRA_CLIENT_ID": lambda: str(uuid.uuid4()),
    "ENTRA_CLIENT_SECRET": lambda: secrets.token_urlsafe(32),
    "ACS_ACCESS_KEY": _key,
    "ACS_WEBHOOK_SECRET": lambda: secrets.token_urlsafe(32),
    "TWILIO_ACCOUNT_SID": lambda: f"AC{secrets.token_hex(16)}",
    "TWILIO_AUTH_TOKEN": lambda: secrets.token_hex(16),
    "SANDBOX_SECRET_KEY": lambda: secrets.token_urlsafe(50),
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the processes listen and how others reach them."""

    web_port: int
    sandbox_port: int
    mllp_port: int
    web_host: str = ports.LOOPBACK
    public_url: str = ""
    sandbox_url: str = ""

    @property
    def public(self) -> str:
        """How browsers reach the product; another site than the sandbox, as in real life."""
        return self.public_url or f"http://localhost:{self.web_port}"

    @property
    def sandbox(self) -> str:
        """How everybody reaches the sandbox."""
        return self.sandbox_url or f"http://{ports.LOOPBACK}:{self.sandbox_port}"


def load_or_create_secrets(path: Path) -> dict[str, str]:
    """Read the demonstration's secrets, inventing and storing those that are missing."""
    known = _read(path) if path.exists() else {}
    missing = {name: invent() for name, invent in SECRETS.items() if name not in known}
    if missing:
        known |= missing
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in known.items()), encoding="utf-8")
    return known


def twin_variables(sandbox: str) -> dict[str, str]:
    """Point every outside system at the sandbox."""
    return {
        "SANDBOX_URL": sandbox,
        "ENTRA_BASE_URL": f"{sandbox}/entra",
        "ENTRA_STS_ISSUER": f"{sandbox}/entra-sts",
        "ENTRA_TENANT_ID": TENANT_ID,
        "GRAPH_BASE_URL": f"{sandbox}/graph",
        "ACS_ENDPOINT": f"{sandbox}/acs",
        "TWILIO_API_BASE_URL": f"{sandbox}/twilio",
        "TWILIO_MESSAGING_BASE_URL": f"{sandbox}/twilio",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "OUTBOUND_ALLOW_HTTP": "true",
    }


def demo_variables(
    *,
    known: Mapping[str, str],
    addresses: Addresses,
    tls: Path,
    database_url: str,
    sandbox_database_url: str,
    redis_url: str,
) -> dict[str, str]:
    """Return everything the product, the sandbox and the demonstration's commands read."""
    return {
        **known,
        **twin_variables(addresses.sandbox),
        "PUBLIC_URL": addresses.public,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SANDBOX_DATABASE_URL": sandbox_database_url,
        "MLLP_HOST": ports.LOOPBACK,
        "MLLP_PORT": str(addresses.mllp_port),
        "MLLP_TLS_CERTIFICATE_PATH": str(tls / "listener.crt"),
        "MLLP_TLS_KEY_PATH": str(tls / "listener.key"),
        "SANDBOX_MLLP_CLIENT_CERTIFICATE_PATH": str(tls / "bridges.crt"),
        "SANDBOX_MLLP_CLIENT_KEY_PATH": str(tls / "bridges.key"),
        "SANDBOX_MLLP_CA_PATH": str(tls / "listener.crt"),
    }


def for_product(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the product's processes and commands."""
    chosen = {name: value for name, value in variables.items() if name not in _NOT_FOR_PRODUCT}
    return {**_base(), **chosen, "DJANGO_SETTINGS_MODULE": "ehrconnector.settings"}


def for_sandbox(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the sandbox, which knows nothing of the product's secrets."""
    chosen = {name: value for name, value in variables.items() if name.startswith("SANDBOX_")}
    return {**_base(), **chosen, "DJANGO_SETTINGS_MODULE": "ehrconnector.settings_sandbox"}


def variables_for_tests() -> dict[str, str]:
    """Return what the tests need beside the two servers; fixed, so that tests mean the same everywhere."""
    return {
        **twin_variables(f"http://{ports.LOOPBACK}:8100"),
        "ENV_FILE": os.devnull,  # what the developer tries out must not change what tests mean
        "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-0123456789",
        "PUBLIC_URL": "http://localhost:8000",
        "ENCRYPTION_KEYS": f"k1:{_fixed_key(1)}",
        "INDEX_KEY": _fixed_key(2),
        "ENTRA_CLIENT_ID": "22222222-3333-4444-8555-666666666666",
        "ENTRA_CLIENT_SECRET": "only-for-tests",
        "ACS_ACCESS_KEY": _fixed_key(3),
        "ACS_WEBHOOK_SECRET": "only-for-tests",
        "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
        "TWILIO_AUTH_TOKEN": "0" * 32,
    }


def production_example() -> dict[str, str]:
    """Return a complete, safe production configuration with invented values, for checks that only read it."""
    return {
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "an-example-that-protects-nothing-0123456789-abcdefghijklmnopqrstuvwxyz",
        "PUBLIC_URL": "https://visits.lamna.example.org",
        "BEHIND_TLS_PROXY": "true",
        "DATABASE_URL": "postgres://connector:example@db.lamna.example.org:5432/connector",
        "REDIS_URL": "rediss://:example@redis.lamna.example.org:6379/0",
        "ENCRYPTION_KEYS": f"k1:{_fixed_key(4)}",
        "INDEX_KEY": _fixed_key(5),
        "ENTRA_TENANT_ID": TENANT_ID,
        "ENTRA_CLIENT_ID": "22222222-3333-4444-8555-666666666666",
        "ENTRA_CLIENT_SECRET": "an-example",
        "ACS_ENDPOINT": "https://lamna.unitedstates.communication.azure.com",
        "ACS_ACCESS_KEY": _fixed_key(6),
        "ACS_WEBHOOK_SECRET": "an-example-0123456789-0123456789",
        "MLLP_TLS_CERTIFICATE_PATH": "/etc/connector/mllp.crt",
        "MLLP_TLS_KEY_PATH": "/etc/connector/mllp.key",
        "SANDBOX_DATABASE_URL": "postgres://sandbox:example@db.lamna.example.org:5432/sandbox",
    }


def _fixed_key(seed: int) -> str:
    return base64.b64encode(bytes((seed * 37 + i * 11) % 256 for i in range(32))).decode()


def _base() -> dict[str, str]:
    """Keep of our own environment only what programs need; settings of another product would leak in."""
    kept = {name: os.environ[name] for name in _KEPT_FROM_OUTSIDE if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "ENV_FILE": os.devnull}


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
