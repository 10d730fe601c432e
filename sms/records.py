"""What Epic's analyst has to know about the texts: which visits they are about, from which number."""

from config_portal import records
from config_portal.models import FhirEndpoint
from config_portal.records import Approved, IntegrationRecord, RecordField
from config_portal.wording import duration


def register() -> None:
    """Put the record on the Review page."""
    records.register("sms_configuration", _sms_configuration, order=60)


def _sms_configuration(endpoint: FhirEndpoint, approved: Approved) -> IntegrationRecord | None:
    texts, connection = approved.get("sms") or {}, approved["endpoint"]
    if not texts:
        return None
    reminders = ", ".join(duration(minutes) for minutes in texts.get("reminder_minutes") or [])
    return IntegrationRecord(
        kind="sms_configuration",
        title="SMS configuration record",
        purpose="Which appointments patients are texted about. Send these, or more: others are ignored.",
        fields=(
            RecordField(name="Visit types", value=", ".join(connection["visit_types"]) or "None: nobody is texted"),
            RecordField(name="Departments", value=", ".join(connection["departments"]) or "All"),
            RecordField(name="Time zone of local times", value=str(connection["time_zone"])),
            RecordField(name="Sent from", value=str(texts["number"]), note="Tell patients to save this number."),
            RecordField(name="Reminders before the visit", value=reminders or "None"),
        ),
    )
