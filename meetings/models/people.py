"""Who takes part, from which devices, and what we know about when."""

from typing import Self

from django.db import models
from django.db.models import Q

from config_portal.models import Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import new_id
from meetings.models.meeting import Meeting
from visits.models import PatientContact


class Participant(models.Model):
    """A person in a meeting, known by a role and a number and never by a name.

    ``expected_at`` is set while the person is on the way from our pages into Teams: the next fitting
    arrival in the roster is this one. ``state`` is what the last news says; ``state_at`` since when.
    ``invitation_id`` is what a guest came by: the same invitation is the same participant.
    ``request_id`` is that of the launch they came by last; it follows them through the logs.
    """

    class Role(models.TextChoices):
        """What the person is to the visit."""

        PROVIDER = "provider", "Provider"
        PATIENT = "patient", "Patient"
        PROXY = "proxy", "Proxy"
        INTERPRETER = "interpreter", "Interpreter"
        FAMILY = "family", "Family"
        COLLEAGUE = "colleague", "Colleague"
        GUEST = "guest", "Guest"

    class State(models.TextChoices):
        """Where the person is."""

        EXPECTED = "expected", "Not here yet"
        WAITING = "waiting", "Waiting in the lobby"
        CONNECTED = "connected", "Connected"
        LEFT = "left", "Left"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="participants")
    role = models.CharField(max_length=12, choices=Role)
    ordinal = models.PositiveSmallIntegerField()
    ehr_user_id = EncryptedTextField(default="", blank=True)
    ehr_user_index = models.CharField(max_length=64, blank=True)
    entra_object_id = models.UUIDField(null=True, blank=True)
    contact = models.ForeignKey(PatientContact, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    invitation_id = models.UUIDField(null=True, blank=True)
    expected_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.EXPECTED)
    state_at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "role", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "role", "ordinal"], name="participant_ordinal"),
            models.UniqueConstraint(
                fields=["meeting", "entra_object_id"], condition=~Q(entra_object_id=None), name="participant_account"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What the person is called on pages, such as ``Patient 1``."""
        return f"{self.get_role_display()} {self.ordinal}"

    @property
    def is_named(self) -> bool:
        """Whether we know who it is: an EHR user, or the person a text was sent to."""
        return bool(self.ehr_user_index or self.contact_id)


class Connection(models.Model):
    """One device or window of a participant, by Graph's id of it.

    ``participant`` stays empty while all we have heard is that it left: news may arrive in any order.
    ``identity_index`` finds a person without an account of the tenant who comes back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="connections")
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, null=True, blank=True, related_name="connections"
    )
    graph_id = models.CharField(max_length=200)
    identity_index = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "graph_id"], name="connection_graph_id")]

    def __str__(self) -> str:
        return f"connection {self.pk}"


class Source(models.TextChoices):
    """Where we heard it."""

    GRAPH = "graph", "Graph notification"
    ATTENDANCE = "attendance", "Attendance report"


class Observation(models.Model):
    """Something we were told about a connection; the raw material of presence, kept once."""

    class Kind(models.TextChoices):
        """Where the connection was seen."""

        LOBBY = "lobby", "In the lobby"
        IN_CALL = "in_call", "In the call"
        GONE = "gone", "Gone"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="observations")
    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source, default=Source.GRAPH)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "at", "kind"], name="observation_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at:%H:%M:%S}"


class PresenceEventQuerySet(models.QuerySet["PresenceEvent"]):
    """Ways to read presence."""

    def standing(self) -> Self:
        """Keep what still holds: the participant's history as all the news together tells it."""
        # By kind within an instant: whoever is sent back to the lobby disconnects and then enters it.
        return self.filter(is_superseded=False).order_by("at", "kind")


class PresenceEvent(models.Model):
    """A change of a participant's presence, in the order in which we told it.

    Among connects and disconnects, each row is the opposite of the one before. When late news shows that a
    change did not take place (another device was still there), its row is marked ``is_superseded``; if the
    present state differs from what was told last, one more superseded row tells that.
    """

    class Kind(models.TextChoices):
        """What changed. Being admitted is ``connected``; ``left_lobby`` means gone without being admitted."""

        LOBBY_ENTERED = "lobby_entered", "Entered the lobby"
        CONNECTED = "connected", "Connected"
        LEFT_LOBBY = "left_lobby", "Left the lobby"
        DISCONNECTED = "disconnected", "Disconnected"

    Source = Source

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="presence_events")
    kind = models.CharField(max_length=14, choices=Kind)
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source, default=Source.GRAPH)
    is_superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = PresenceEventQuerySet.as_manager()

    class Meta:
        ordering = ["participant", "sequence"]
        constraints = [models.UniqueConstraint(fields=["participant", "sequence"], name="presence_sequence")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at:%H:%M:%S}"
