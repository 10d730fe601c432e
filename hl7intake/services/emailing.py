"""Tell an organization's contacts by e-mail: a sender went silent, a certificate ends.

What was found is noted first, by :mod:`hl7intake.services.watching` and :mod:`hl7intake.services.certificates`;
what was noted and not e-mailed yet is e-mailed here, and tried again by the next run until the server takes it.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse

from config_portal.models import FhirEndpoint
from core import mail
from core.errors import UpstreamUnavailable
from core.moments import written
from hl7intake.models import SenderCertificate, SenderWatch

logger = logging.getLogger(__name__)


def email_what_was_found(*, now: datetime) -> int:
    """Send the e-mails that are owed and return how many were taken; none while no mail server is set up."""
    if not mail.is_configured():
        return 0
    return sum(_tell_of_expiry(one, now=now) for one in _ending(now)) + sum(_tell_of_silence(one) for one in _silent())


def _ending(now: datetime) -> list[SenderCertificate]:
    warned = SenderCertificate.objects.accepted_at(now).exclude(warned_days=None)
    owed = warned.filter(Q(mailed_days=None) | Q(mailed_days__gt=F("warned_days")))
    return list(owed.select_related("endpoint__organization"))


def _silent() -> list[SenderWatch]:
    owed = SenderWatch.objects.filter(alerted_at__isnull=False, mailed_at=None)
    return list(owed.select_related("endpoint__organization"))


def _tell_of_expiry(certificate: SenderCertificate, *, now: datetime) -> bool:
    endpoint = certificate.endpoint
    days = max((certificate.not_after - now).days, 0)
    end = written(certificate.not_after, style="date", zone_name=endpoint.organization.time_zone)
    is_taken = _send(
        endpoint,
        subject=f"The certificate of {endpoint.name} ends in {days} days",
        lines=[
            f"The certificate with which {endpoint.name} sends appointments to the connector ends on {end}.",
            "After that it is refused, and no appointment is texted any more.",
            "Register its successor beforehand; both are accepted until then:",
            _page("hl7:certificates"),
            "",
            f"SHA-256 fingerprint: {certificate.fingerprint}",
        ],
    )
    if is_taken:
        SenderCertificate.objects.filter(pk=certificate.pk).update(mailed_days=certificate.warned_days)
    return is_taken


def _tell_of_silence(watch: SenderWatch) -> bool:
    endpoint = watch.endpoint
    is_taken = _send(
        endpoint,
        subject=f"No appointment messages from {endpoint.name}",
        lines=[
            f"{endpoint.name} has sent no appointment message for more than {watch.hours} hours.",
            "New and changed appointments may be missing.",
            "Look at the outgoing interface in Epic and at the interface engine.",
            "Who was refused, and why, is on this page:",
            _page("hl7:senders"),
        ],
    )
    if is_taken:
        SenderWatch.objects.filter(pk=watch.pk, alerted_at=watch.alerted_at).update(mailed_at=watch.alerted_at)
    return is_taken


def _send(endpoint: FhirEndpoint, *, subject: str, lines: list[str]) -> bool:
    """Return whether the e-mail was taken, or there is nobody to send it to."""
    organization = endpoint.organization
    recipients = {address for address in (organization.epic_contact_email, *settings.ALERT_EMAILS) if address}
    if not recipients:
        return True
    signature = f"EHR connector of {organization.name}, {endpoint.get_environment_display()}"
    try:
        mail.send(
            subject=f"{organization.name}: {subject}",
            body="\n".join([*lines, "", signature, ""]),
            recipients=sorted(recipients),
        )
    except UpstreamUnavailable as error:
        logger.warning("e-mail not sent", extra={"endpoint": endpoint.name, "error": error.code})
        return False
    return True


def _page(name: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse(name)}"
