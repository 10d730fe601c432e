"""What a FHIR base URL turns out to be, before it is saved."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from config_portal.checks import address
from config_portal.doctor import CheckContext, CheckResult, Outcome, SetupCheck
from config_portal.models import FhirEndpoint, Organization
from config_portal.services.checking import run_check, run_checks
from core.errors import ConnectorError
from epic.base_url import normalize_base_url
from epic.connection import SmartEndpoints
from epic.discovery import FhirServer

# Causes that no waiting mends: such an address is not saved.
_NEVER_SAVED = frozenset(
    {"epic.base_url_invalid", "epic.base_url_suffix", "http.address_refused", "http.not_https", "epic.fhir_version"}
)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What was found at ``base_url``, in normal form."""

    base_url: str
    lines: Sequence[tuple[SetupCheck, CheckResult]]
    server: FhirServer | None = None
    smart: SmartEndpoints | None = None

    @property
    def is_right(self) -> bool:
        """Whether every line passed."""
        return all(result.outcome == Outcome.PASSED for _, result in self.lines)

    @property
    def never_saved(self) -> CheckResult | None:
        """The line that forbids saving the address, if there is one."""
        return next((result for _, result in self.lines if result.code in _NEVER_SAVED), None)

    def as_stored(self) -> dict[str, Any]:
        """Return what is kept with the endpoint."""
        return {
            "server": asdict(self.server) if self.server else {},
            "smart": asdict(self.smart) if self.smart else {},
        }


def preview(base_url: str, *, organization: Organization, client_id: str, now: datetime) -> Preview:
    """Ask the server at ``base_url`` what it is; an address of the wrong form is not called at all.

    :param organization: whose page shows it, with dates in its time zone.
    :param client_id: named to Epic, because a site may have other OAuth addresses for a client.
    """
    draft = FhirEndpoint(organization=organization, base_url=normalize_base_url(base_url), backend_client_id=client_id)
    context = CheckContext(endpoint=draft, now=now)
    form, *others = address.CHECKS
    first = run_check(form, context)
    if first.outcome == Outcome.FAILED:
        return Preview(base_url=base_url, lines=[(form, first)])
    results = {news.check.name: news.result for news in run_checks(context, others) if news.result is not None}
    lines = [(form, first), *((check, results[check.name]) for check in others)]
    return Preview(
        base_url=context.endpoint.base_url,
        lines=_without_echoes(lines),
        server=_or_none(context, "server"),
        smart=_or_none(context, "smart"),
    )


def _without_echoes(lines: list[tuple[SetupCheck, CheckResult]]) -> list[tuple[SetupCheck, CheckResult]]:
    """Leave out later lines that failed for the very same cause: one unreachable server is one problem."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for check, result in lines:
        cause = (result.code, result.cause)
        if result.outcome == Outcome.PASSED or cause not in seen:
            kept.append((check, result))
        seen.add(cause)
    return kept


def _or_none(context: CheckContext, what: str) -> Any:
    try:
        return address.server_of(context) if what == "server" else context.discovered().smart
    except ConnectorError:
        return None
