"""Texts as patients will read them, with an example that looks like the real thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from config_portal.models import Organization
from sms import linting, wording
from sms.segments import Length, length

_EXAMPLE_TOKEN = "Xk3vQ9mTz7RbLw2Hs8NcYd"  # noqa: S105 - of no link; as long as every real one
_EXAMPLE_START = time(14, 0)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A finished text, what it costs, and what has to be changed."""

    kind: str
    text: str
    length: Length
    findings: list[linting.Finding]

    @property
    def is_good(self) -> bool:
        """Whether the words may be saved."""
        return not any(finding.is_error for finding in self.findings)


def preview(
    organization: Organization,
    *,
    kind: str,
    language: str,
    templates: wording.Templates,
    now: datetime,
    opens_minutes: int = 30,
) -> Preview:
    """Return the text about a visit at 2 PM the day after tomorrow, with the words in ``templates``."""
    zone = ZoneInfo(organization.time_zone)
    day = now.astimezone(zone).date() + timedelta(days=2)
    text = wording.compose(
        wording.Wording(
            kind=kind,
            language=language,
            organization=organization.name,
            starts_at=datetime.combine(day, _EXAMPLE_START, zone),
            time_zone=organization.time_zone,
            link=f"{settings.PUBLIC_URL}/j/{_EXAMPLE_TOKEN}",
            help_phone=organization.help_phone,
            opens_minutes=opens_minutes,
            templates=templates,
        )
    )
    _, body = wording.template_for(kind, language, templates)
    findings = [*linting.lint(body, kind=kind), *linting.lint_length(text)]
    return Preview(kind=kind, text=text, length=length(text), findings=findings)


def previews(
    organization: Organization, *, language: str, words: Mapping[str, str], now: datetime, opens_minutes: int = 30
) -> list[Preview]:
    """Return a preview of every kind with ``words`` (kind → body) in ``language``."""
    templates = {language: {kind: body for kind, body in words.items() if body}}
    return [
        preview(organization, kind=kind, language=language, templates=templates, now=now, opens_minutes=opens_minutes)
        for kind in words
    ]
