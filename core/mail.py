"""Send e-mail to staff through the operator's mail server; nothing of a patient is ever in one."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage

from core.errors import ConfigurationError, UpstreamUnavailable


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    content: str | bytes
    media_type: str


def is_configured() -> bool:
    """Return whether the operator named a mail server."""
    return bool(settings.EMAIL_FROM)


def send(*, subject: str, body: str, recipients: Sequence[str], attachments: Sequence[Attachment] = ()) -> None:
    """Send one message; recipients do not see each other.

    :raises ConfigurationError: ``mail.not_configured`` without a mail server.
    :raises UpstreamUnavailable: ``mail.not_sent`` when the mail server does not take it.
    """
    if not is_configured():
        raise ConfigurationError("mail.not_configured", "The operator of the connector has named no mail server.")
    message = EmailMessage(subject=subject, body=body, from_email=settings.EMAIL_FROM, bcc=list(recipients))
    for one in attachments:
        message.attach(one.name, one.content, one.media_type)
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        raise UpstreamUnavailable("mail.not_sent", detail=type(error).__name__) from error
