"""What the current request or task is, for logs and outgoing calls."""

import secrets
from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")

# No vowels and no look-alikes: a reference is read aloud on the phone and must spell no word.
_REFERENCE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


def request_id() -> str:
    """Return the id that follows one request through logs, tasks and outgoing calls, or ''."""
    return _request_id.get()


def set_request_id(value: str) -> None:
    """Make ``value`` the id of everything this request or task does from here on."""
    _request_id.set(value)


def new_request_id() -> str:
    """Return a fresh request id: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def new_reference() -> str:
    """Return a reference number that a person can read to support staff, such as ``K7M-2XQ9``."""
    letters = "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(7))
    return f"{letters[:3]}-{letters[3:]}"
