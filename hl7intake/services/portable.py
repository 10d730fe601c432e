"""Senders in the configuration file: how they write, after which silence somebody is told, who may send."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config_portal.models import FhirEndpoint, Organization
from config_portal.portability import Reading, apply, invalid
from core.errors import ConfigurationError
from hl7intake.certificates import read_certificate
from hl7intake.models import RawRetention, SenderCertificate, SenderSettings, SenderWatch
from hl7intake.services.certificates import add_certificate
from hl7intake.services.retention import keep_rejected, kept_hours
from hl7intake.services.senders import approved_part
from hl7intake.services.watching import change_watch


def write_organization(organization: Organization, _now: datetime) -> dict[str, Any]:
    """Return whether the text of rejected messages is kept."""
    return {"keep_rejected_hours": kept_hours(organization)}


def read_organization(organization: Organization, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Keep rejected texts as long as the file says.

    :raises ConfigurationError: ``import.invalid``.
    """
    hours = _hours(organization.slug, content["keep_rejected_hours"], most=RawRetention.LONGEST_HOURS)
    if hours == kept_hours(organization):
        return []
    keep_rejected(organization, hours=hours, actor=reading.actor)
    return ["keep_rejected_hours"]


def write(endpoint: FhirEndpoint, now: datetime) -> dict[str, Any]:
    """Return how the sender of ``endpoint`` writes, how it is watched, and its certificates that hold."""
    accepted = SenderCertificate.objects.accepted_at(now).of_engines().filter(endpoint=endpoint)
    return {
        "rules": approved_part(endpoint) or None,
        "watch_hours": _watch_hours(endpoint),
        "certificates": list(accepted.order_by("fingerprint").values_list("pem", flat=True)),
    }


def read(endpoint: FhirEndpoint, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Bring rules and watch to ``content`` and add the certificates that are not registered yet.

    :raises ConfigurationError: ``import.invalid``, also for a certificate that was revoked here.
    """
    changed = []
    if content["rules"] is not None:
        rules = {name: content["rules"][name] for name in _RULES}
        known = SenderSettings.objects.filter(endpoint=endpoint).first()
        row = known or SenderSettings(endpoint=endpoint)
        changed += [f"rules.{name}" for name in apply(row, rules, is_new=known is None)]
    hours = _hours(endpoint.name, content["watch_hours"], most=SenderWatch.LONGEST_HOURS)
    if hours != _watch_hours(endpoint):
        change_watch(endpoint, hours=hours, actor=reading.actor)
        changed.append("watch_hours")
    added = [pem for pem in content["certificates"] if _add(endpoint, str(pem), reading)]
    return changed + ["certificates"] * bool(added)


_RULES = ("start_places", "session_id_places", "status_map", "fallback_charset")


def _add(endpoint: FhirEndpoint, pem: str, reading: Reading) -> bool:
    """Register a certificate unless it is; one that was revoked is not trusted again because of a file."""
    try:
        fingerprint = read_certificate(pem.encode(), now=reading.now).fingerprint
        known = SenderCertificate.objects.filter(endpoint=endpoint, fingerprint=fingerprint)
        if known.filter(revoked_at=None).exists():
            return False
        if known.exists():
            raise invalid(endpoint.name, f"the certificate {fingerprint[:16]} was revoked here.")
        add_certificate(endpoint, pem.encode(), actor=reading.actor, now=reading.now)
    except ConfigurationError as error:
        if error.code == "import.invalid":
            raise
        raise invalid(endpoint.name, error.user_message) from error
    return True


def _watch_hours(endpoint: FhirEndpoint) -> int:
    watch = SenderWatch.objects.filter(endpoint=endpoint).first()
    return watch.hours if watch else SenderWatch.DEFAULT_HOURS


def _hours(owner: str, value: Any, *, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise invalid(owner, f"hours are 0 to {most}.")
    return value
