"""Who may send us HL7, and what came: enough to answer a duplicate and to explain, nothing of a patient."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import new_id
from hl7intake.rules import SESSION_ID_PLACES
from hl7intake.statuses import Status
from hl7intake.timing import START_PLACES
from visits.models import Visit

# Bytes kept verbatim in a text column: every byte is one of its characters.
VERBATIM = "latin-1"
# Who a test message of the portal says it is from, and how its certificates are marked.
TRIAL_APPLICATION, TRIAL_FACILITY, TRIAL_ACTOR = "EHRCONNECTOR", "TEST", "test by "


class SenderCertificateQuerySet(OrganizationScopedQuerySet["SenderCertificate"]):
    """Ways to reach sender certificates."""

    def accepted_at(self, now: datetime) -> Self:
        """Keep certificates that open a connection now."""
        return self.filter(revoked_at=None, not_before__lte=now, not_after__gt=now)

    def remembered_at(self, now: datetime) -> Self:
        """Keep certificates whose holder is told apart from a stranger when he is not let in."""
        limit = now - SenderCertificate.REMEMBERED
        return self.filter(Q(revoked_at=None) | Q(revoked_at__gt=limit), not_after__gt=limit)

    def of_engines(self) -> Self:
        """Leave out those that were made for a test message of the portal."""
        return self.exclude(added_by__startswith=TRIAL_ACTOR)

    def ending_before(self, moment: datetime, *, now: datetime) -> Self:
        """Keep accepted certificates that end before ``moment``."""
        return self.accepted_at(now).filter(not_after__lte=moment)


class SenderCertificate(models.Model):
    """The certificate with which an interface engine proves that a message comes from this endpoint's Epic.

    It is pinned itself, not its issuer: exactly this certificate opens a connection, for exactly this
    endpoint. Several may be valid at once, so that they can be exchanged without a gap.
    """

    REMEMBERED = timedelta(days=90)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sender_certificates")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="sender_certificates")
    subject = models.CharField(max_length=500)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the DER form, hexadecimal")
    spki_sha256 = models.CharField(max_length=64, help_text="SHA-256 of the public key, hexadecimal")
    pem = models.TextField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    added_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="At how many days before its end somebody was warned last"
    )
    mailed_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The last of these warnings that was e-mailed"
    )

    objects = SenderCertificateQuerySet.as_manager()

    class Meta:
        ordering = ["endpoint", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(revoked_at=None), name="one_sender_a_certificate"
            )
        ]

    def __str__(self) -> str:
        return f"certificate {self.fingerprint[:16]}"


class SenderSettings(models.Model):
    """How one endpoint's interface writes what the standard leaves open; takes effect when it is approved.

    An endpoint without a row is understood as Epic's published appointment interface is.
    """

    endpoint = models.OneToOneField(
        FhirEndpoint, on_delete=models.CASCADE, primary_key=True, related_name="sender_settings"
    )
    start_places = ArrayField(
        models.CharField(max_length=8),
        default=list,
        blank=True,
        help_text="Where the start stands, most trusted first; empty: TQ1-7, SCH-11, AIS-4, AIP-6, AIL-6, AIG-8",
    )
    session_id_places = ArrayField(
        models.CharField(max_length=8),
        default=list,
        blank=True,
        help_text="Where the CSN stands, most trusted first; empty: PV1-19, SCH-2, SCH-1",
    )
    status_map = models.JSONField(
        default=dict, blank=True, help_text='What this sender writes into SCH-25, such as {"5": "Cancelled"}'
    )
    fallback_charset = models.CharField(
        max_length=20, default="cp1252", help_text="For bytes that are neither as MSH-18 says nor UTF-8"
    )

    def __str__(self) -> str:
        return f"sender settings of {self.endpoint_id}"

    def clean(self) -> None:
        """Refuse places that nobody looks at, statuses that mean nothing, and character sets that do not exist."""
        problems = {
            "start_places": _unknown(self.start_places, START_PLACES),
            "session_id_places": _unknown(self.session_id_places, SESSION_ID_PLACES),
            "status_map": _unknown(map(str.capitalize, self.status_map.values()), tuple(Status)),
            "fallback_charset": "" if _is_charset(self.fallback_charset) else "There is no such character set.",
        }
        if found := {name: problem for name, problem in problems.items() if problem}:
            raise ValidationError(found)


def _unknown(given: Iterable[str], known: Sequence[str]) -> str:
    wrong = [text for text in given if text not in known]
    return f"“{wrong[0][:20]}” is none of {', '.join(known)}." if wrong else ""


def _is_charset(name: str) -> bool:
    try:
        b"A".decode(name)
    except LookupError:
        return False
    return True


class SenderPassword(models.Model):
    """A password that an endpoint's HTTPS sender shows besides its certificate or signature; only an HMAC is kept."""

    endpoint = models.OneToOneField(
        FhirEndpoint, on_delete=models.CASCADE, primary_key=True, related_name="sender_password"
    )
    username = models.CharField(max_length=60)
    password_index = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"sender password of {self.endpoint_id}"


class RawRetention(models.Model):
    """That an organization wants to see the text of rejected messages, and for how long; without a row: never."""

    LONGEST_HOURS = 72

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="raw_retention"
    )
    hours = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(LONGEST_HOURS)], help_text="0 to 72; 0 keeps nothing"
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(hours__lte=72), name="raw_kept_at_most_72_hours")]

    def __str__(self) -> str:
        return f"raw text of {self.organization_id} kept {self.hours} h"


class InboundMessageQuerySet(OrganizationScopedQuerySet["InboundMessage"]):
    """Ways to reach messages."""

    def waiting(self) -> Self:
        """Keep messages that were acknowledged and have not taken effect yet."""
        return self.filter(state=InboundMessage.State.RECEIVED)

    def due_before(self, now: datetime) -> Self:
        """Keep waiting messages whose next attempt has come."""
        return self.waiting().filter(due_at__lte=now)

    def from_engines(self) -> Self:
        """Leave out the test messages of the portal: they say nothing about whether the sender is well."""
        return self.exclude(sending_application=TRIAL_APPLICATION, sending_facility=TRIAL_FACILITY)

    def replayable(self) -> Self:
        """Keep messages that did not take effect and whose text is still there."""
        states = [InboundMessage.State.QUARANTINED, InboundMessage.State.REJECTED]
        return self.filter(state__in=states, raw__isnull=False)

    def in_order(self) -> Self:
        """Sort as messages take effect: by the sender's clock, then by arrival."""
        return self.order_by(F("message_at").asc(nulls_first=True), "received_at", "pk")


class InboundMessage(models.Model):
    """One message that was answered, and what became of it.

    Committed before the answer is sent; its effect follows (:mod:`hl7intake.services.processing`).
    ``raw`` is kept, encrypted, only while the message still has to take effect, or until ``raw_until`` where
    an organization keeps what it rejected. ``session_index`` is the HMAC under which the visit is found: with
    ``message_at`` it keeps old news from undoing newer news, also about visits we never had.
    ``understood`` is what was read, without anything of a patient: times, codes, whether there is a number.
    """

    class State(models.TextChoices):
        """What became of it."""

        RECEIVED = "received", "Received"
        APPLIED = "applied", "Applied"
        IGNORED = "ignored", "Not for us"
        SUPERSEDED = "superseded", "Older than what we know"
        REJECTED = "rejected", "Rejected"
        QUARANTINED = "quarantined", "Quarantined"

    class Transport(models.TextChoices):
        """How it came."""

        MLLP = "mllp", "MLLP"
        HTTPS = "https", "HTTPS"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # A constraint would lock the sender's one row with every message, which costs more than the message.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="inbound_messages", db_index=False, db_constraint=False
    )
    endpoint = models.ForeignKey(
        FhirEndpoint, on_delete=models.CASCADE, related_name="inbound_messages", db_index=False, db_constraint=False
    )
    certificate = models.ForeignKey(
        SenderCertificate,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        db_index=False,
        db_constraint=False,
    )
    visit = models.ForeignKey(
        Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="inbound_messages", db_index=False
    )
    transport = models.CharField(max_length=8, choices=Transport, default=Transport.MLLP)
    sending_application = models.CharField(max_length=200, blank=True)
    sending_facility = models.CharField(max_length=200, blank=True)
    control_id = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    message_type = models.CharField(max_length=8, blank=True)
    trigger = models.CharField(max_length=8, blank=True)
    charset = models.CharField(max_length=20, blank=True)
    start_text = models.CharField(max_length=40, blank=True, help_text="The start as the sender wrote it")
    message_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    deliveries = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVED)
    reason = models.CharField(max_length=20, blank=True, help_text="Why an accepted message had no effect")
    ack_code = models.CharField(max_length=2)
    answered = models.CharField(
        max_length=5, blank=True, help_text="MSA-1 of what was sent back, in order; in enhanced mode possibly nothing"
    )
    error_code = models.CharField(max_length=80, blank=True)
    error_condition = models.CharField(max_length=3, blank=True, help_text="Table 0357, as ERR-3 said it")
    error_location = models.CharField(max_length=40, blank=True)
    error_text = models.CharField(max_length=300, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    understood = models.JSONField(default=dict, blank=True)
    session_index = models.CharField(max_length=64, blank=True)
    raw = EncryptedTextField(null=True, blank=True)
    raw_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = InboundMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            # A rejected message may be mended and sent again under the same id.
            models.UniqueConstraint(
                fields=["endpoint", "sending_application", "sending_facility", "control_id"],
                condition=~Q(state="rejected"),
                name="one_effect_a_control_id",
            )
        ]
        indexes = [
            models.Index(fields=["organization", "-received_at"], name="inbound_by_arrival"),
            models.Index(fields=["endpoint", "-received_at"], name="inbound_by_endpoint"),
            models.Index(
                fields=["session_index", "message_at", "received_at"],
                condition=~Q(session_index=""),
                name="inbound_by_session",
            ),
            models.Index(fields=["visit"], condition=Q(visit__isnull=False), name="inbound_by_visit"),
            models.Index(fields=["endpoint", "sha256"], condition=Q(state="rejected"), name="inbound_rejected"),
            models.Index(fields=["due_at", "received_at"], condition=Q(state="received"), name="inbound_due"),
            models.Index(fields=["raw_until"], condition=Q(raw_until__isnull=False), name="inbound_raw_to_wipe"),
        ]

    def __str__(self) -> str:
        return f"message {self.control_id}"

    @property
    def raw_bytes(self) -> bytes | None:
        """The message as it came, while it is kept."""
        text: str | None = self.raw
        return None if text is None else text.encode(VERBATIM)

    def keep_raw(self, raw: bytes) -> None:
        """Keep the message as it came, encrypted."""
        self.raw = raw.decode(VERBATIM)


# Django finds models in this module; these stand apart for the length of it.
from hl7intake.sender_models import RefusedSender, SenderWatch  # noqa: E402

__all__ = [
    "InboundMessage",
    "InboundMessageQuerySet",
    "RawRetention",
    "RefusedSender",
    "SenderCertificate",
    "SenderPassword",
    "SenderSettings",
    "SenderWatch",
]
