"""How a configuration comes to be approved: by whom, proven how, asked for by whom."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from accounts.models import User
from config_portal.models.endpoint import ConfigurationVersion, FhirEndpoint
from core.crypto import EncryptedTextField
from core.models import new_id


class ApproverBinding(models.Model):
    """Which Microsoft account the approver's user name meant when its owner first signed in.

    User names change hands; the account does not. A binding holds for the user name it was made for: when
    the endpoint names another approver, it is of no use and is replaced at that person's next sign-in.
    """

    endpoint = models.OneToOneField(FhirEndpoint, on_delete=models.CASCADE, related_name="approver_binding")
    username = models.CharField(max_length=200)
    tenant_id = models.UUIDField()
    object_id = models.UUIDField()
    bound_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.username} approves {self.endpoint}"

    def is_for(self, username: str) -> bool:
        """Return whether the binding was made for this user name, in whatever case."""
        return self.username.casefold() == username.strip().casefold()

    def is_account_of(self, user: User) -> bool:
        """Return whether ``user`` is the very account that was bound."""
        return (user.entra_tenant_id, user.entra_object_id) == (self.tenant_id, self.object_id)


class ApprovalRequest(models.Model):
    """An administrator's request to approve, and the answer. At most one of an endpoint is open."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "Waiting for the approver"
        APPROVED = "approved", "Approved"
        SENT_BACK = "sent_back", "Sent back"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="approval_requests")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    digest = models.CharField(max_length=64, help_text="Of the draft when the answer was given, or it was asked for")
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    answered_by = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(max_length=2000, blank=True, help_text="Why it was sent back")

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint"], condition=Q(state="open"), name="one_open_approval_request")
        ]

    def __str__(self) -> str:
        return f"approval of {self.endpoint}, {self.get_state_display().lower()}"


class EpicSignIn(models.Model):
    """An approver's sign-in to Epic: what we remember while the browser is there, and that it succeeded.

    Of Epic's answer only issuer, subject and time are kept; tokens are dropped before anything is stored.
    It counts for five minutes, for one approval, in the browser session it was begun in.
    """

    LASTS = timedelta(minutes=10)
    FRESH = timedelta(minutes=5)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="epic_sign_ins")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    session_digest = models.CharField(max_length=64)
    state_digest = models.CharField(max_length=64, unique=True)
    code_verifier = EncryptedTextField()
    nonce = EncryptedTextField()
    base_url = models.URLField(max_length=500)
    smart = models.JSONField()
    client_id = models.CharField(max_length=120)
    begun_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True, blank=True)
    issuer = models.CharField(max_length=500, blank=True)
    subject = EncryptedTextField(null=True, blank=True)
    signed_in_at = models.DateTimeField(null=True, blank=True)
    used_for = models.ForeignKey(
        ConfigurationVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["endpoint", "user", "-signed_in_at"], name="epic_sign_in_latest")]

    def __str__(self) -> str:
        return f"sign-in of {self.user} to the Epic of {self.endpoint}"

    def fresh_until(self) -> datetime | None:
        """Return until when it counts for an approval; None before it succeeded."""
        return self.signed_in_at + self.FRESH if self.signed_in_at else None
