"""The texts of a FHIR endpoint as an approver reads them, and back from an earlier approval into the draft."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from config_portal.models import FhirEndpoint
from sms.models import PhoneNumber, SmsConfiguration

LABELS = {
    "number": "Sent from",
    "supplier": "Carried by",
    "failover_number": "Second number, when the first cannot send",
    "failover_supplier": "Second number carried by",
    "confirms_scheduled": "Confirms new visits",
    "confirms_moved": "Tells new times",
    "confirms_cancelled": "Tells cancellations",
    "reminder_minutes": "Reminders before the visit",
    "quiet_from": "No text from",
    "quiet_until": "No text until",
    "visit_cap": "Most texts about one visit in 24 hours",
    "organization_cap": "Most texts of the organization in 24 hours",
    "templates": "Own words",
}
_COPIED = (
    "confirms_scheduled", "confirms_moved", "confirms_cancelled", "reminder_minutes", "visit_cap", "organization_cap",
)  # fmt: skip
_SHOWN_DIGITS = 4


def sentence(content: Mapping[str, Any]) -> str:
    """Say in one sentence who is texted from where."""
    if not content:
        return "Nobody is texted."
    kinds = {"confirms_scheduled": "new visits", "confirms_moved": "new times", "confirms_cancelled": "cancellations"}
    told = [words for name, words in kinds.items() if content.get(name)]
    about = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    count = len(content.get("reminder_minutes") or [])
    reminders = f"{count} reminder{'' if count == 1 else 's'}"
    acts = [f"are texted about {about}"] if about else []
    acts += [f"get {reminders}"] if count else []
    what = " and ".join(acts) or "are not texted yet"
    return f"Patients {what}, from the number ending {str(content['number'])[-_SHOWN_DIGITS:]}."


def restore(endpoint: FhirEndpoint, content: Mapping[str, Any]) -> None:
    """Write an approved part back into the draft; a number that was given up meanwhile stays out of it."""
    if not content:
        SmsConfiguration.objects.filter(endpoint=endpoint).update(number=None)
        return
    values = {name: content[name] for name in _COPIED if name in content}
    values |= {name: _clock(content[name]) for name in ("quiet_from", "quiet_until") if name in content}
    held = PhoneNumber.objects.for_organization(endpoint.organization).held()
    for name in ("number", "failover_number"):
        values[name] = held.filter(number=content.get(name) or "").first()
    SmsConfiguration.objects.update_or_create(endpoint=endpoint, defaults=values)


def _clock(text: str) -> time | None:
    return time.fromisoformat(text) if text else None
