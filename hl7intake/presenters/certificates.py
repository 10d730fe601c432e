"""How the certificates of senders read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.urls import reverse

from config_portal.models import FhirEndpoint
from core.moments import ago, written
from hl7intake.certificates import CertificateDetails, describe_pem
from hl7intake.models import SenderCertificate
from hl7intake.services.certificates import WARNING_DAYS

_URGENT, _SOON, _NOTED = WARNING_DAYS


@dataclass(frozen=True, kw_only=True)
class CertificateRow:
    """One registered certificate.

    :param last_at: when the last message came with it.
    :param zone: time zone of the organization.
    """

    certificate: SenderCertificate
    last_at: datetime | None
    now: datetime
    zone: str

    @property
    def name(self) -> str:
        """The common name, else the whole subject."""
        return common_name(self.certificate.pem) or self.certificate.subject

    @property
    def is_open(self) -> bool:
        """Whether it may still be revoked."""
        return self.certificate.revoked_at is None and self.certificate.not_after > self.now

    @property
    def status(self) -> str:
        """Where it stands, in words."""
        return self._standing[0]

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return self._standing[1]

    @property
    def use(self) -> str:
        """When it was used last."""
        return f"Last message {ago_words(self.last_at, now=self.now)}" if self.last_at else "No message yet"

    @property
    def added(self) -> str:
        """Who registered it, and when."""
        return f"Added {self._day(self.certificate.created_at)} by {self.certificate.added_by}"

    @property
    def revoke_url(self) -> str:
        """Where it is revoked."""
        return reverse("hl7:certificate_revoke", args=[self.certificate.pk])

    @property
    def revoke_label(self) -> str:
        """Names the act and the certificate."""
        return f"Revoke {self.name}"

    @property
    def facts(self) -> list[dict[str, object]]:
        """What the certificate itself says."""
        return facts_of(describe_pem(self.certificate.pem), zone=self.zone)

    @property
    def _standing(self) -> tuple[str, str]:
        certificate = self.certificate
        if certificate.revoked_at is not None:
            return f"Revoked {self._day(certificate.revoked_at)}", "neutral"
        if certificate.not_after <= self.now:
            return f"Expired {self._day(certificate.not_after)}", "bad"
        if certificate.not_before > self.now:
            return f"Valid from {self._day(certificate.not_before)}", "info"
        words = time_left(certificate.not_after, now=self.now, zone=self.zone)
        return words, urgency(certificate.not_after, now=self.now)

    def _day(self, moment: datetime) -> str:
        return written(moment, style="date", zone_name=self.zone)


@dataclass(frozen=True, kw_only=True)
class EndpointCertificates:
    """The certificates of one endpoint."""

    endpoint: FhirEndpoint
    rows: tuple[CertificateRow, ...]
    can_add: bool

    @property
    def title(self) -> str:
        """What the hospital calls the endpoint."""
        return self.endpoint.name

    @property
    def environment_tone(self) -> str:
        """The tone of the environment's tag."""
        return "bad" if self.endpoint.is_production else "warn"

    @property
    def add_url(self) -> str:
        """Where a certificate is uploaded."""
        return reverse("hl7:certificate_add", args=[self.endpoint.pk])

    @property
    def https_label(self) -> str:
        """Names the address for HL7 over HTTPS."""
        return f"HTTPS address of {self.endpoint.name}"

    @property
    def https_url(self) -> str:
        """Where messages for the endpoint may be posted."""
        return f"{settings.PUBLIC_URL}{reverse('hl7_senders:take', args=[self.endpoint.pk])}"

    @property
    def add_label(self) -> str:
        """Names the next act, for those who may do it."""
        return "Upload a certificate" if self.can_add else ""

    @property
    def empty_text(self) -> str:
        """What the absence of a certificate means, and who ends it."""
        who = "" if self.can_add else " An administrator uploads it."
        return f"Nobody can send appointments for {self.endpoint.name} before your interface engine's is here.{who}"


def facts_of(details: CertificateDetails, *, zone: str) -> list[dict[str, object]]:
    """Return what is shown back of a certificate that was read."""
    rows: list[dict[str, object]] = [
        {"label": "Subject", "value": details.subject},
        {"label": "Issued by", "value": "itself" if details.issuer == details.subject else details.issuer},
        {"label": "Valid", "value": validity(details.not_before, details.not_after, zone=zone)},
        {"label": "Key", "value": details.key},
        {"label": "SHA-256 fingerprint", "value": grouped(details.fingerprint), "copy": True},
    ]
    if details.chain_length > 1:
        others = details.chain_length - 1
        issuers = "certificate that issued it is" if others == 1 else f"{others} certificates that issued it are"
        rows.append({"label": "Chain", "value": f"This is the last one of a chain; the {issuers} not needed."})
    return rows


def validity(start: datetime, end: datetime, *, zone: str) -> str:
    """Return from when to when, in ``zone``."""
    return f"{written(start, zone_name=zone)} to {written(end, zone_name=zone)}"


def time_left(end: datetime, *, now: datetime, zone: str) -> str:
    """Return in words how long something lasts."""
    days = (end - now).days
    if days > _NOTED:
        return f"Valid to {written(end, style='date', zone_name=zone)}"
    return "Ends today" if days < 1 else "Ends tomorrow" if days == 1 else f"Ends in {days} days"


def urgency(end: datetime, *, now: datetime) -> str:
    """Return the tone that goes with :func:`time_left`."""
    days = (end - now).days
    if days > _NOTED:
        return "ok"
    return "bad" if days <= _URGENT else "warn" if days <= _SOON else "info"


def ago_words(moment: datetime, *, now: datetime) -> str:
    """Return how long ago something was: ``5 minutes ago``."""
    return f"{ago(moment, now=now)} ago"


def grouped(fingerprint: str) -> str:
    """Return a fingerprint as tools print it: ``AB:CD:…``."""
    return ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2)).upper()


def common_name(pem: str) -> str:
    """Return the common name in a certificate's subject, or ''."""
    names = x509.load_pem_x509_certificate(pem.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def by_endpoint(
    endpoints: Iterable[FhirEndpoint],
    certificates: Iterable[SenderCertificate],
    *,
    can_add: bool,
    now: datetime,
    zone: str,
) -> list[EndpointCertificates]:
    """Return the certificates under their endpoints; each carries ``last_message_at``."""
    listed = list(certificates)
    return [
        EndpointCertificates(
            endpoint=endpoint,
            can_add=can_add,
            rows=tuple(
                CertificateRow(certificate=one, last_at=getattr(one, "last_message_at", None), now=now, zone=zone)
                for one in listed
                if one.endpoint_id == endpoint.pk
            ),
        )
        for endpoint in endpoints
    ]
