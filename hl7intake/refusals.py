"""Who was not let in, and why: counted, so that a port scan does not flood the audit trail."""

import ssl
from dataclasses import dataclass
from uuid import UUID

_QUIET_SECONDS = 60.0
_MOST_KEYS = 256
_OTHERS = "many"

NOT_REGISTERED = "certificate is not registered"
_PROTOCOL = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no certificate was presented",
    "UNSUPPORTED_PROTOCOL": "TLS is older than 1.2",
    "VERSION_TOO_LOW": "TLS is older than 1.2",
    "WRONG_VERSION_NUMBER": "does not speak TLS",
    "HTTP_REQUEST": "does not speak TLS",
    "NO_SHARED_CIPHER": "no cipher in common",
}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How often somebody was refused for one reason since the last time it was told.

    :param certificate_id: the registered certificate that was shown, if it was one.
    """

    peer: str
    reason: str
    count: int
    certificate_id: UUID | None = None


_Key = tuple[str, str, UUID | None]


class RefusalLog:
    """Counts refusals and gives each kind out at once, then at most once a minute."""

    def __init__(self) -> None:
        self._counts: dict[_Key, int] = {}
        self._told_at: dict[_Key, float] = {}

    def note(self, peer: str, reason: str, *, certificate_id: UUID | None = None) -> None:
        """Count one refusal."""
        key = (peer if len(self._counts) < _MOST_KEYS else _OTHERS, reason, certificate_id)
        self._counts[key] = self._counts.get(key, 0) + 1

    def take(self, *, at: float) -> list[Refusal]:
        """Return what is to be told at ``at`` (seconds of a monotonic clock)."""
        self._told_at = {key: told for key, told in self._told_at.items() if at - told < _QUIET_SECONDS}
        due = [key for key in self._counts if key not in self._told_at]
        self._told_at |= dict.fromkeys(due, at)
        return [
            Refusal(peer=peer, reason=reason, count=self._counts.pop((peer, reason, one)), certificate_id=one)
            for peer, reason, one in due
        ]

    def take_all(self) -> list[Refusal]:
        """Return everything that was not told yet."""
        return self.take(at=float("inf"))


def reason_of(error: ssl.SSLError) -> str:
    """Return in plain words why a handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NOT_REGISTERED  # dates and revocation of the pinned ones are looked at after the handshake
    return _PROTOCOL.get(error.reason or "", error.reason or "handshake failed")
