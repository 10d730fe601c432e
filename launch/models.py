"""Ways into a visit, as they were tried: from Epic, from MyChart, from a text."""

from datetime import datetime

from django.db import models

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from core.context import new_reference
from core.crypto import EncryptedTextField
from core.models import ScopedManager, new_id
from epic.context_link import IvPlace, KeyForm
from meetings.models import Participant
from visits.models import JoinLink, PatientContact, Visit


class InvitationQuerySet(OrganizationScopedQuerySet["Invitation"]):
    """Ways to reach invitations."""


InvitationManager = ScopedManager.from_queryset(InvitationQuerySet)


class Invitation(models.Model):
    """A provider's invitation for somebody who is neither booked nor a patient: a link with a role of its own.

    Whom it is for is known by role alone, never by name. Of the link only an HMAC is stored, under ``token_index``;
    the link itself follows from the row's id and our key, so that the provider can copy it again.
    """

    class Role(models.TextChoices):
        """As what people are invited; the values are those of ``Participant.Role``."""

        FAMILY = Participant.Role.FAMILY.value, "Family"
        INTERPRETER = Participant.Role.INTERPRETER.value, "Interpreter"
        COLLEAGUE = Participant.Role.COLLEAGUE.value, "Colleague"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=12, choices=Role)
    token_index = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationManager()

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["visit", "created_at"], name="invitation_by_visit")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @property
    def contact(self) -> None:
        """Nobody we could text, whose language we would know: what a join link has, an invitation has not."""

    def is_open(self, *, now: datetime) -> bool:
        """Return whether somebody may come by it."""
        return self.revoked_at is None and now < self.expires_at


class LaunchAttemptQuerySet(OrganizationScopedQuerySet["LaunchAttempt"]):
    """Ways to reach launch attempts."""


LaunchAttemptManager = ScopedManager.from_queryset(LaunchAttemptQuerySet)


class LaunchAttempt(models.Model):
    """Somebody opening a visit. ``reference`` is what the person reads to support staff when it goes wrong.

    ``join_link`` is what a person from a text came by, ``invitation`` a guest: when it ends, so does their way in.
    ``context_link_index`` finds a context-aware link that was used: each opens a visit once.
    """

    class Audience(models.TextChoices):
        """Who came, and from where."""

        PROVIDER = "provider", "Provider, from Epic"
        PATIENT = "patient", "Patient, from MyChart"
        TEXT = "text", "Patient, from a text"
        GUEST = "guest", "Guest, from an invitation"

    class State(models.TextChoices):
        """How far the attempt came."""

        STARTED = "started", "Started"
        CHECKING = "checking", "Tested their device"
        ARRIVED = "arrived", "Arrived"
        JOINED = "joined", "Went on to Teams"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="launch_attempts")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.PROTECT, related_name="launch_attempts")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, null=True, blank=True, related_name="launch_attempts")
    contact = models.ForeignKey(PatientContact, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    join_link = models.ForeignKey(JoinLink, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    invitation = models.ForeignKey(
        Invitation, on_delete=models.SET_NULL, null=True, blank=True, related_name="attempts"
    )
    audience = models.CharField(max_length=8, choices=Audience)
    role = models.CharField(max_length=12, blank=True, help_text="Role in the meeting")
    state = models.CharField(max_length=10, choices=State, default=State.STARTED)
    error_code = models.CharField(max_length=80, blank=True)
    reference = models.CharField(max_length=16, default=new_reference, db_index=True, editable=False)
    ehr_user_id = EncryptedTextField(default="", blank=True)
    context_link_index = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = LaunchAttemptManager()

    class Meta:
        indexes = [models.Index(fields=["visit", "created_at"], name="launch_by_visit")]

    def __str__(self) -> str:
        return f"{self.get_audience_display()} {self.reference}"

    @property
    def is_provider(self) -> bool:
        """Whether a clinician came."""
        return self.audience == self.Audience.PROVIDER

    def conclude(self, state: str, *, now: datetime, error_code: str = "") -> None:
        """Store where the attempt led: who came, into which visit, or why not."""
        self.state, self.finished_at, self.error_code = state, now, error_code
        self.save(update_fields=["visit", "role", "ehr_user_id", "state", "finished_at", "error_code"])

    def note_error(self, code: str) -> None:
        """Remember what last went wrong, for support staff."""
        self.error_code = code
        self.save(update_fields=["error_code"])


class ProviderAccount(models.Model):
    """The Microsoft account with which a clinician once signed in; found by an HMAC of who they are to Epic."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="provider_accounts")
    ehr_user_index = models.CharField(max_length=64)
    tenant_id = models.UUIDField()
    object_id = models.UUIDField()
    signed_in_at = models.DateTimeField()

    objects = ScopedManager["ProviderAccount"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "ehr_user_index"], name="provider_account_once"),
        ]

    def __str__(self) -> str:
        return f"provider account {self.pk}"


class OAuthState(models.Model):
    """What we remember while the browser is at Epic. Usable once, for ten minutes, in the browser it was made for.

    Of state and cookie only SHA-256 digests are stored; verifier and nonce are encrypted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    attempt = models.OneToOneField(LaunchAttempt, on_delete=models.CASCADE, related_name="oauth_state")
    state_digest = models.CharField(max_length=64, unique=True)
    cookie_digest = models.CharField(max_length=64)
    code_verifier = EncryptedTextField()
    nonce = EncryptedTextField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager["OAuthState"]()

    def __str__(self) -> str:
        return f"state of {self.attempt_id}"


# Names of browsers and platforms that are written otherwise than with a capital letter.
_BROWSERS = {"app": "A browser inside another app", "samsung": "Samsung Internet", "other": "Another browser"}
_PLATFORMS = {"ios": "iPhone or iPad", "macos": "Mac", "chromeos": "ChromeOS", "other": "another device"}


class DeviceTest(models.Model):
    """What a patient's browser found out about itself, in numbers; never a picture, a sound or an address.

    ``measures`` holds what was measured: ``rtt_ms``, ``down_kbps``, ``up_kbps`` to us, and of the test call
    ``frames_per_second``, ``frame_width`` (pixels), ``packets_lost`` and ``jitter_ms``.
    ``person_index`` is an HMAC, there to find a person's last test at the next visit, and erased after two weeks.
    """

    class Result(models.TextChoices):
        """How one check ended."""

        PASSED = "passed", "Works"
        POOR = "poor", "Works poorly"
        FAILED = "failed", "Does not work"
        REFUSED = "refused", "Not allowed"
        SKIPPED = "skipped", "Not checked"

    CHECKS = ("connection", "camera", "microphone", "speaker", "call")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="device_tests")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="device_tests")
    attempt = models.ForeignKey(LaunchAttempt, on_delete=models.CASCADE, related_name="device_tests")
    person_index = models.CharField(max_length=64, blank=True)
    connection = models.CharField(max_length=8, choices=Result)
    camera = models.CharField(max_length=8, choices=Result)
    microphone = models.CharField(max_length=8, choices=Result)
    speaker = models.CharField(max_length=8, choices=Result)
    call = models.CharField(max_length=8, choices=Result)
    measures = models.JSONField(default=dict)
    browser = models.CharField(max_length=10)
    platform = models.CharField(max_length=10)
    created_at = models.DateTimeField()

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["visit", "created_at"], name="device_test_by_visit"),
            models.Index(fields=["person_index", "created_at"], name="device_test_by_person"),
        ]

    def __str__(self) -> str:
        return f"device test {self.pk}"

    @property
    def results(self) -> dict[str, str]:
        """The result of every check, by its name."""
        return {name: str(getattr(self, name)) for name in self.CHECKS}

    @property
    def made_with(self) -> str:
        """The browser and the platform in words: ``Safari on iPhone or iPad``."""
        browser = _BROWSERS.get(self.browser, self.browser.capitalize())
        return f"{browser} on {_PLATFORMS.get(self.platform, self.platform.capitalize())}"

    @property
    def is_passed(self) -> bool:
        """Whether everything works."""
        return set(self.results.values()) == {self.Result.PASSED}

    @property
    def troubles(self) -> list[str]:
        """The checks that did not end well, apart from those nobody wanted."""
        fine = {self.Result.PASSED, self.Result.SKIPPED}
        return [name for name, result in self.results.items() if result not in fine]


class VisitRating(models.Model):
    """A patient's answer to the one question after a visit, whether picture and sound worked well."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="visit_ratings")
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="ratings")
    attempt = models.OneToOneField(LaunchAttempt, on_delete=models.CASCADE, related_name="rating")
    is_good = models.BooleanField()
    created_at = models.DateTimeField()

    objects = OrganizationScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"rating {self.pk}"


class ContextLink(models.Model):
    """Context-aware linking with an encrypted query string, for an Epic without SMART launch; off without a row.

    Part of what an approval covers, but for ``key``, which acts at once like every secret.
    """

    endpoint = models.OneToOneField(FhirEndpoint, on_delete=models.CASCADE, related_name="context_link")
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    is_enabled = models.BooleanField(default=False)
    parameter = models.SlugField(max_length=40, default="data", help_text="Name of the parameter in the address")
    key = EncryptedTextField(help_text="The shared key as it is typed into Epic")
    key_form = models.CharField(
        max_length=30, choices=[(form.value, form.value) for form in KeyForm], default=KeyForm.BASE64_32
    )
    iv = models.CharField(
        max_length=10, choices=[(place.value, place.value) for place in IvPlace], default=IvPlace.PREPENDED
    )
    longest_age_seconds = models.PositiveIntegerField(
        default=300, help_text="How old the link's ts may be; 0 for links without ts"
    )

    def __str__(self) -> str:
        return f"context link of {self.endpoint}"
