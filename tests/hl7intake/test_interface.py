"""How one Epic's interface writes what the standard leaves open: set up as a draft, in force when approved."""

import pytest
from django.urls import reverse

from accounts.models import Role
from config_portal import wording
from config_portal.models import FhirEndpoint
from core.models import AuditEvent
from hl7intake.models import SenderSettings
from hl7intake.services.senders import rules_for
from tests.factories import approve, make_endpoint, make_organization, make_staff
from tests.scripts import Script

pytestmark = pytest.mark.django_db
TYPED = {
    "start_places": "AIS-4\nSCH-11",
    "session_id_places": "SCH-2",
    "status_map": "5 = cancelled\n 1^SCH = Booked\n",
    "fallback_charset": "cp1250",
}
STORED = {
    "start_places": ["AIS-4", "SCH-11"],
    "session_id_places": ["SCH-2"],
    "status_map": {"5": "Cancelled", "1^SCH": "Booked"},
    "fallback_charset": "cp1250",
}


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def page(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return reverse("hl7:interface", args=[endpoint.pk])


def fresh(endpoint) -> FhirEndpoint:
    return FhirEndpoint.objects.get(pk=endpoint.pk)


def test_what_is_entered_is_in_force_once_it_is_approved(client, endpoint, page):
    said = client.post(page, TYPED, follow=True).content.decode()
    assert "It takes effect when it is approved." in said
    before = rules_for(fresh(endpoint))
    approve(fresh(endpoint))
    after = rules_for(fresh(endpoint))

    assert before is not None
    assert after is not None
    assert before.start_places[0] == "TQ1-7"
    assert (after.start_places, after.session_id_places) == (("AIS-4", "SCH-11"), ("SCH-2",))
    assert (dict(after.statuses), after.fallback_charset) == (STORED["status_map"], "cp1250")
    changes = AuditEvent.objects.get(action="interface.setup_changed").data["changes"]
    assert {"what": "Where the CSN stands", "was": [], "now": ["SCH-2"]} in changes


def test_an_approver_reads_it_in_words(client, endpoint, page):
    client.post(page, TYPED)
    approve(fresh(endpoint))
    version = fresh(endpoint).approved_version
    assert version is not None
    lines = {line.label: line.value for line in wording.lines(version.snapshot)}
    assert lines["Where the start stands"] == "AIS-4, SCH-11"
    assert lines["What its statuses mean (SCH-25) · 5"] == "Cancelled"


def test_the_same_again_changes_nothing(client, page):
    client.post(page, TYPED)
    assert "Nothing changed." in client.post(page, TYPED, follow=True).content.decode()
    assert AuditEvent.objects.filter(action="interface.setup_changed").count() == 1
    assert "AIS-4\nSCH-11" in client.get(page).content.decode()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("start_places", "SCH-12", "“SCH-12” is none of TQ1-7"),
        ("session_id_places", "PID-3", "“PID-3” is none of PV1-19"),
        ("status_map", "5", "“5” is not written as 5 = Cancelled"),
        ("status_map", "5 = Gone", "“Gone” is none of Pending"),
        ("fallback_charset", "klingon", "klingon"),
    ],
)
def test_what_means_nothing_is_not_stored(client, page, field, text, said):
    assert said in client.post(page, {**TYPED, field: text}).content.decode()
    assert not SenderSettings.objects.exists()


def test_it_is_for_administrators_of_the_organization(client, endpoint, page):
    foreign = make_endpoint(make_organization(name="Northwind Clinics"))
    assert client.post(reverse("hl7:interface", args=[foreign.pk]), TYPED).status_code == 404
    client.force_login(make_staff(endpoint.organization, Role.ANALYST, username="dana.ortiz@lamna.example.org"))
    assert client.post(page, TYPED).status_code == 403
    assert not SenderSettings.objects.exists()


def test_a_script_does_the_same(endpoint):
    call = Script(endpoint.organization)
    assert call("GET", "hl7_api:interface", endpoint.pk).json()["start_places"] == []
    changed = call("PATCH", "hl7_api:interface", endpoint.pk, data=STORED).json()
    assert changed == STORED
    kept = call("PATCH", "hl7_api:interface", endpoint.pk, data={"start_places": []}).json()
    assert kept == {**STORED, "start_places": []}
    refused = call("PATCH", "hl7_api:interface", endpoint.pk, data={"start_places": ["SCH-12"]})
    assert refused.status_code == 400
    assert call("PATCH", "hl7_api:interface", endpoint.pk, data={"start": []}).status_code == 400
