"""The visit: when, where from, and how its patients are reached until it takes place."""

from datetime import datetime
from typing import Self

from django.db import models

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from core.context import new_reference
from core.crypto import EncryptedTextField
from core.models import ScopedManager, new_id


class VisitQuerySet(OrganizationScopedQuerySet["Visit"]):
    """Ways to reach visits."""

    def starting_between(self, start: datetime, end: datetime) -> Self:
        """Keep visits whose planned start lies in ``[start, end)``."""
        return self.filter(starts_at__gte=start, starts_at__lt=end)

    def scheduled(self) -> Self:
        """Keep visits that are to take place."""
        return self.filter(state=Visit.State.SCHEDULED)


class Visit(models.Model):
    """One virtual visit of one FHIR endpoint, known by Epic's session id (the CSN, or a group's conference id).

    A group's patients each have an appointment of their own; ``group_visit`` is the visit in which they meet.
    ``version`` counts the schedules it has had: texts of an older one are withdrawn.
    The FHIR ids are kept only where the hospital chose to write to the chart, and only of one-to-one visits.
    ``changed_at_source`` is when Epic made the last change we applied (MSH-7): older news changes nothing.
    """

    class State(models.TextChoices):
        """Where the visit stands in Epic's schedule."""

        SCHEDULED = "scheduled", "Scheduled"
        CANCELLED = "cancelled", "Cancelled"
        NO_SHOW = "no_show", "No show"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="visits")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.PROTECT, related_name="visits")
    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    session_id = EncryptedTextField()
    session_index = models.CharField(max_length=64)
    conference_id = EncryptedTextField(null=True, blank=True)
    conference_index = models.CharField(max_length=64, blank=True)
    fhir_patient_id = EncryptedTextField(null=True, blank=True)
    fhir_encounter_id = EncryptedTextField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.SCHEDULED)
    version = models.PositiveIntegerField(default=1)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64)
    visit_type = models.CharField(max_length=60, blank=True)
    visit_type_name = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=60, blank=True)
    is_group = models.BooleanField(default=False)
    group_visit = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="appointments", editable=False
    )
    interpreter_language = models.CharField(max_length=40, blank=True)
    provider_ids = EncryptedTextField(null=True, blank=True, help_text="Epic's ids of the clinicians, one a line")
    changed_at_source = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "session_index"], name="visit_session")]
        indexes = [
            models.Index(fields=["organization", "starts_at"], name="visit_by_start"),
            models.Index(fields=["conference_index"], name="visit_by_conference"),
        ]

    def __str__(self) -> str:
        return f"visit {self.reference}"

    @property
    def meeting_place(self) -> "Visit":
        """The visit whose meeting people come together in: the group's conference, else the visit itself."""
        return self.group_visit or self

    @property
    def is_scheduled(self) -> bool:
        """Whether it is to take place."""
        return self.state == self.State.SCHEDULED


class PatientContact(models.Model):
    """How one patient of a visit is reached: the only home of a telephone number.

    No name and no record number: ``person_index`` is an HMAC, there only to notice that a visit changed
    hands. ``purge_at`` is when number and index are erased.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="contacts")
    person_index = models.CharField(max_length=64, blank=True)
    phone = EncryptedTextField(null=True, blank=True)
    phone_index = models.CharField(max_length=64, blank=True)
    revision = models.PositiveSmallIntegerField(default=1, help_text="Counts the numbers it has had")
    language = models.CharField(max_length=8, default="en")
    purge_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager["PatientContact"]()

    class Meta:
        indexes = [
            models.Index(fields=["purge_at"], condition=~models.Q(phone=None), name="contact_to_purge"),
        ]

    def __str__(self) -> str:
        return f"contact {self.pk}"


class JoinLink(models.Model):
    """A patient's way in from a text message: 128 random bits, of which only an HMAC is stored.

    The token is derived from the row's id and the index key (:mod:`visits.services.links`), so the same
    link can be texted again without keeping it anywhere.
    """

    class Ending(models.TextChoices):
        """Why a link no longer works."""

        CANCELLED = "cancelled", "The visit was cancelled"
        MOVED = "moved", "The visit was moved"
        REPLACED = "replaced", "The patient or number changed"
        EXPIRED = "expired", "The visit is over"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="join_links")
    contact = models.ForeignKey(PatientContact, on_delete=models.CASCADE, related_name="join_links")
    token_index = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)

    objects = ScopedManager["JoinLink"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(ended_at=None), name="one_open_link_a_contact"
            )
        ]

    def __str__(self) -> str:
        return f"join link {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it still leads to the visit."""
        return self.ended_at is None
