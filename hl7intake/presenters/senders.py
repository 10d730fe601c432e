"""How senders read: one card for each endpoint, and who was not let in."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from core import mail
from hl7intake.models import RefusedSender
from hl7intake.presenters.certificates import ago_words, common_name, urgency
from hl7intake.services.health import SenderHealth

_NOTHING = "\N{EN DASH}"
_MANY_ERRORS = 0.05

# What the person who looks at the engine does about each reason.
_ADVICE = {
    "certificate is not registered": "Is it your engine? Then upload the certificate it presents.",
    "certificate was revoked": "Your engine still uses the old certificate. Switch it to the new one.",
    "certificate has expired": "Have a new certificate issued, upload it, and switch the engine to it.",
    "certificate is not valid yet": "Wait for its first day, or look at the engine's clock.",
    "no certificate was presented": "Let the engine present its client certificate.",
    "TLS is older than 1.2": "Switch TLS 1.2 or newer on in the engine.",
    "does not speak TLS": "Switch TLS on in the engine. A port scan looks like this, too.",
    "no cipher in common": "Allow ECDHE with AES-GCM in the engine.",
    "too many connections": "Lower the number of connections the engine opens.",
}


@dataclass(frozen=True, kw_only=True)
class SenderCard:
    """One endpoint's sender."""

    health: SenderHealth
    now: datetime
    can_change: bool
    can_test: bool

    @property
    def title(self) -> str:
        """What the hospital calls the endpoint."""
        return self.health.endpoint.name

    @property
    def anchor(self) -> str:
        """The id of the card."""
        return f"sender-{self.health.endpoint.name}"

    @property
    def environment(self) -> str:
        """Its environment in words."""
        return str(self.health.endpoint.get_environment_display())

    @property
    def environment_tone(self) -> str:
        """The tone of the environment's tag."""
        return "bad" if self.health.endpoint.is_production else "warn"

    @property
    def last(self) -> str:
        """How long ago the last message came."""
        words = ago_words(self.health.last_at, now=self.now) if self.health.last_at else "never"
        return words[0].upper() + words[1:]

    @property
    def last_tone(self) -> str:
        """Whether the silence is too long."""
        return "bad" if self.health.is_silent(now=self.now) else ""

    @property
    def last_note(self) -> str:
        """From when on silence is told."""
        hours = self.health.watch.hours
        if not hours:
            return "silence is not told"
        return f"told after {hours} h of silence{', by e-mail too' if mail.is_configured() else ''}"

    @property
    def rate(self) -> str:
        """Messages in the last hour."""
        return f"{self.health.last_hour:,}"

    @property
    def rate_note(self) -> str:
        """Compared with the last day."""
        return f"in the last hour; {self.health.last_day:,} in 24 hours"

    @property
    def errors(self) -> str:
        """The share of refused messages."""
        return f"{self.health.error_share:.1%}" if self.health.last_day else _NOTHING

    @property
    def errors_note(self) -> str:
        """The number behind it."""
        return f"{self.health.refused_last_day:,} of {self.health.last_day:,} refused in 24 hours"

    @property
    def errors_tone(self) -> str:
        """Whether it is worth a look."""
        if not self.health.refused_last_day:
            return ""
        return "bad" if self.health.error_share > _MANY_ERRORS else "warn"

    @property
    def certificate(self) -> str:
        """How long the certificates last."""
        if not self.health.certificates:
            return "None"
        days = max((self.health.certificates[0].not_after - self.now).days, 0)
        return f"{days} day{'' if days == 1 else 's'}"

    @property
    def certificate_note(self) -> str:
        """How many there are, and what the last of them is called."""
        certificates = self.health.certificates
        if not certificates:
            return "nobody can send"
        name = common_name(certificates[0].pem) or certificates[0].subject
        return name if len(certificates) == 1 else f"{name} and {len(certificates) - 1} more"

    @property
    def certificate_tone(self) -> str:
        """Whether it has to be renewed."""
        if not self.health.certificates:
            return "warn"
        tone = urgency(self.health.certificates[0].not_after, now=self.now)
        return tone if tone in {"warn", "bad"} else ""

    @property
    def certificates_url(self) -> str:
        """Where its certificates are."""
        return f"{reverse('hl7:certificates')}#{self.health.endpoint.name}"

    @property
    def refused_url(self) -> str:
        """The refused messages, where there are some."""
        if not self.health.refused_last_day:
            return ""
        return f"{reverse('hl7:inbox')}?outcome=rejected&endpoint={self.health.endpoint.pk}"

    @property
    def inbox_url(self) -> str:
        """All its messages."""
        return f"{reverse('hl7:inbox')}?endpoint={self.health.endpoint.pk}"

    @property
    def save_label(self) -> str:
        """Names what is saved."""
        return f"Save when silence of {self.title} is told"

    @property
    def watch_url(self) -> str:
        """Where the watch is changed."""
        return reverse("hl7:watch", args=[self.health.endpoint.pk])

    @property
    def interface_url(self) -> str:
        """Where is set up how its messages are read."""
        return reverse("hl7:interface", args=[self.health.endpoint.pk])

    @property
    def interface_label(self) -> str:
        """Names the act and the sender."""
        return f"Set up how messages of {self.title} are read"

    @property
    def test_label(self) -> str:
        """Names the act and the sender."""
        return f"Send a test message for {self.title}"

    @property
    def test_url(self) -> str:
        """Where a test message is sent."""
        return reverse("hl7:test", args=[self.health.endpoint.pk])


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """Somebody who was not let in."""

    refused: RefusedSender

    @property
    def who(self) -> str:
        """Whose certificate it was, as far as it is known."""
        certificate = self.refused.certificate
        if certificate is None:
            return "Not known"
        return f"{common_name(certificate.pem) or certificate.subject} ({certificate.endpoint.name})"

    @property
    def reason(self) -> str:
        """Why, as a sentence begins."""
        return self.refused.reason[:1].upper() + self.refused.reason[1:]

    @property
    def todo(self) -> str:
        """What to do about it."""
        return _ADVICE.get(self.refused.reason, "Look at the engine's TLS settings.")
