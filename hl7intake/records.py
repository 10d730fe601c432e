"""What an interface analyst sets in Epic so that appointments, and patients' numbers, reach the connector."""

from urllib.parse import urlsplit

from django.conf import settings

from config_portal import records
from config_portal.models import FhirEndpoint
from config_portal.records import Approved, IntegrationRecord, RecordField


def register() -> None:
    """Put the record on the Review page."""
    records.register("direct_sms", _direct_sms, order=50)


def _direct_sms(endpoint: FhirEndpoint, _approved: Approved) -> IntegrationRecord:
    host = urlsplit(settings.PUBLIC_URL).hostname
    processing = "P" if endpoint.is_production else "T"
    return IntegrationRecord(
        kind="direct_sms",
        title="Direct SMS record",
        purpose="Epic's outgoing appointment interface (Bridges) tells the connector whom to text about which visit.",
        fields=(
            RecordField(name="Destination", value=f"{host}:{settings.MLLP_PORT}", note="MLLP over TLS 1.2 or newer."),
            RecordField(
                name="Client certificate",
                value="The one registered with the connector",
                note="Its public half is uploaded in Setup; test and production have one each.",
            ),
            RecordField(name="Messages", value="SIU^S12, SIU^S13, SIU^S14, SIU^S15, SIU^S26"),
            RecordField(name="Processing id (MSH-11)", value=processing, note="P in production, T in test."),
            RecordField(name="Mobile number", value="PID-13, equipment type CP or CELL"),
            RecordField(name="Visit id", value="PV1-19, else SCH-2", note="The same CSN that %CSN% stands for."),
        ),
    )
