"""The integration records through which Epic and MyChart open visits.

Context tokens as Epic customers and Microsoft's documentation give them: ``%CSN%`` names the visit of one patient,
``%CONFERENCEID%`` the video conference, which several patients share in a group visit. ``departmentId`` tells
reports where the provider works.
"""

from django.conf import settings
from django.urls import reverse

from config_portal import records, snapshot
from config_portal.models import FhirEndpoint
from config_portal.records import Approved, IntegrationRecord, RecordField

_ONE = "sessionId=%CSN%&conferenceId=%CONFERENCEID%"
_GROUP = "sessionId=%CONFERENCEID%&csn=%CSN%"
_STAFF = "&userId=%EPICUSERID%&departmentId=%PERFDEPID;;; ; ;;NONE;%"
_DEVICE_TEST = "&deviceTest=yes"

CONTEXTS = {
    "patient": _ONE,
    "provider": _ONE + _STAFF,
    "patient_group": _GROUP,
    "provider_group": _GROUP + _STAFF,
    "device_test": _ONE + _DEVICE_TEST,
}
# As published by Epic customers for SMART on FHIR records; what the numbers mean is in Epic's own guide.
LAUNCH_TYPE = "6"

_CONTEXT_NOTE = "Type it exactly as it stands. Epic puts the values in when somebody opens a visit."
_TYPE_NOTE = "SMART on FHIR. Your Epic technical specialist confirms the number for your version."


def register() -> None:
    """Put the records on the Review page and their context tokens into what an approval covers."""
    records.register("apps", _apps, order=5, needs_approval=False)
    records.register("patient", _patient, order=10)
    records.register("provider", _provider, order=20)
    records.register("patient_group", _patient_group, order=30)
    records.register("provider_group", _provider_group, order=40)
    records.register("device_test", _device_test, order=70)
    snapshot.register("records", _contexts, title="Context of the integration records", labels=_LABELS)


_LABELS = {
    "patient": "Patients",
    "provider": "Providers",
    "patient_group": "Patients of group visits",
    "provider_group": "Providers of group visits",
    "device_test": "Device test",
}


def _contexts(_endpoint: FhirEndpoint) -> dict[str, str]:
    return dict(CONTEXTS)


def _apps(endpoint: FhirEndpoint, content: Approved) -> IntegrationRecord:
    keys = RecordField(
        name="JWK Set URL",
        value=_address("portal:jwks", endpoint),
        note="The same for all three apps. New keys take up to 24 hours to reach every server of Epic.",
    )
    return IntegrationRecord(
        kind="apps",
        title="App registrations",
        purpose="Epic has to know the three apps before anybody can sign in, so this comes before the approval.",
        fields=(
            RecordField(name="Provider app: client id", value=str(content["endpoint"]["provider_client_id"])),
            RecordField(name="Provider app: redirect URI", value=_address("launch:provider_callback", endpoint)),
            RecordField(
                name="Provider app: second redirect URI",
                value=_address("portal:approval_callback", endpoint),
                note="For the approver's sign-in.",
            ),
            RecordField(name="Patient app: client id", value=str(content["endpoint"]["patient_client_id"])),
            RecordField(name="Patient app: redirect URI", value=_address("launch:patient_callback", endpoint)),
            RecordField(name="Backend app: client id", value=str(content["endpoint"]["backend_client_id"])),
            keys,
        ),
    )


def _patient(endpoint: FhirEndpoint, approved: Approved) -> IntegrationRecord:
    token = RecordField(
        name="DeviceTestContext",
        value=_context(approved, "device_test"),
        note="The context of the hardware test that MyChart offers before a visit. It belongs to this record too.",
    )
    record = _record(
        endpoint, approved, "patient", app="patient", title="Patient record",
        purpose="MyChart opens a visit of one patient with it, on the web and in the app.",
    )  # fmt: skip
    return IntegrationRecord(
        kind=record.kind, title=record.title, purpose=record.purpose, fields=(*record.fields, token)
    )


def _provider(endpoint: FhirEndpoint, approved: Approved) -> IntegrationRecord:
    return _record(
        endpoint, approved, "provider", app="provider", title="Provider record",
        purpose="Hyperspace, Haiku and Canto open a visit of one patient with it.",
    )  # fmt: skip


def _patient_group(endpoint: FhirEndpoint, approved: Approved) -> IntegrationRecord:
    return _record(
        endpoint, approved, "patient_group", app="patient", title="Patient record for group visits",
        purpose="MyChart opens a group visit with it: all its patients share one conference.",
    )  # fmt: skip


def _provider_group(endpoint: FhirEndpoint, approved: Approved) -> IntegrationRecord:
    return _record(
        endpoint, approved, "provider_group", app="provider", title="Provider record for group visits",
        purpose="Hyperspace, Haiku and Canto open a group visit with it.",
    )  # fmt: skip


def _device_test(endpoint: FhirEndpoint, approved: Approved) -> IntegrationRecord:
    return _record(
        endpoint, approved, "device_test", app="patient", title="Device-test record",
        purpose="MyChart opens the check of camera, microphone and connection with it, any day before the visit.",
    )  # fmt: skip


def _record(
    endpoint: FhirEndpoint, approved: Approved, kind: str, *, app: str, title: str, purpose: str
) -> IntegrationRecord:
    return IntegrationRecord(
        kind=kind,
        title=title,
        purpose=purpose,
        fields=(
            RecordField(name="URL", value=_address(f"launch:{app}_start", endpoint)),
            RecordField(name="ClientID", value=str(approved["endpoint"][f"{app}_client_id"])),
            RecordField(name="Launchtype", value=LAUNCH_TYPE, note=_TYPE_NOTE),
            RecordField(name="Context", value=_context(approved, kind), note=_CONTEXT_NOTE),
        ),
    )


def _context(approved: Approved, kind: str) -> str:
    """Return the context that was approved; of versions approved before it was covered, today's."""
    return str(approved.get("records", {}).get(kind, CONTEXTS[kind]))


def _address(name: str, endpoint: FhirEndpoint) -> str:
    return str(settings.PUBLIC_URL) + reverse(name, args=[endpoint.launch_id])
