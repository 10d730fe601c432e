import pytest
from django.urls import reverse

from accounts.models import Role
from core.models import AuditEvent
from tests.factories import approve, make_endpoint, make_organization, make_staff
from writeback.forms import WritebackForm
from writeback.models import WritebackConfiguration
from writeback.services import drafts

pytestmark = pytest.mark.django_db
OVERVIEW = reverse("writeback:overview")


@pytest.fixture
def endpoint():
    return make_endpoint(with_sms=False)


@pytest.fixture
def admin(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return client


def page_of(endpoint):
    return reverse("writeback:setup", args=[endpoint.pk])


def filled(endpoint, **values):
    """What the browser sends when the form is opened and only ``values`` are changed."""
    return {**WritebackForm(draft=drafts.draft_of(endpoint)).initial, **values}


def test_the_overview_says_how_each_epic_is_told(admin, endpoint):
    page = admin.get(OVERVIEW).content.decode()
    assert endpoint.name in page
    assert "SetExternalConnectionStatus" in page
    assert "Approved" in page


def test_saving_the_form_as_it_was_opened_changes_nothing(admin, endpoint):
    assert admin.post(page_of(endpoint), filled(endpoint)).url == OVERVIEW
    endpoint.refresh_from_db()
    assert endpoint.connection_status == {}
    assert not AuditEvent.objects.filter(action="writeback.setup_changed").exists()


def test_what_differs_from_the_defaults_is_stored_audited_and_waits_for_approval(admin, endpoint):
    changed = filled(
        endpoint, method="PUT", vendor_name="LAMNA VIDEO", parameter_status="Status", id_type_guest="9", most_at_once=8
    )
    admin.post(page_of(endpoint), changed)
    endpoint.refresh_from_db()
    assert endpoint.connection_status == {
        "method": "PUT", "vendor_name": "LAMNA VIDEO", "parameters": {"status": "Status"},
        "external_id_types": {"guest": "9"},
    }  # fmt: skip
    event = AuditEvent.objects.get(action="writeback.setup_changed")
    assert {"what": "most_at_once", "was": 16, "now": 8} in event.data["changes"]
    assert "Needs approval" in admin.get(OVERVIEW).content.decode()
    approve(endpoint)
    assert "Needs approval" not in admin.get(OVERVIEW).content.decode()


def test_a_password_is_stored_kept_and_never_shown(admin, endpoint):
    basic = {"authorization": "basic", "basic_username": "LAMNAVIDEO"}
    admin.post(page_of(endpoint), filled(endpoint, **basic, basic_password="pass:word"))
    assert WritebackConfiguration.objects.get().basic_password == "pass:word"
    page = admin.get(page_of(endpoint)).content.decode()
    assert "pass:word" not in page
    assert "Leave empty to keep it" in page
    admin.post(page_of(endpoint), filled(endpoint, **basic, basic_password=""))
    assert WritebackConfiguration.objects.get().basic_password == "pass:word"
    assert "pass:word" not in str(list(AuditEvent.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"authorization": "basic"}, "Enter the background user"),
        ({"authorization": "basic", "basic_username": "X"}, "Enter the password"),
        ({"means": "observation"}, "needs the system of its code"),
        ({"means": "observation", "observation_system": "urn:oid:1"}, "mapped to a flowsheet row"),
        ({"device_tests": "observation", "observation_system": "urn:oid:1"}, "mapped to a flowsheet row"),
        ({"device_tests": "service"}, "path of the service that takes device tests"),
        ({"device_tests": "service", "device_test_path": "//evil.test/"}, "begins with one /"),
        ({"path": "https://evil.test/"}, "begins with one /"),
        ({"most_at_once": "0"}, "greater than or equal to 1"),
        ({"method": "DELETE"}, "not one of the available choices"),
        ({"vendor_name": ""}, "Fill in “Vendor name”"),
    ],
)
def test_what_is_missing_or_not_usable_is_named_and_nothing_is_stored(admin, endpoint, values, problem):
    answer = admin.post(page_of(endpoint), filled(endpoint, **values))
    assert answer.status_code == 200
    assert problem in answer.content.decode()
    assert "Error: Telling Epic" in answer.content.decode()
    assert not WritebackConfiguration.objects.exists()


def test_an_endpoint_of_another_hospital_is_not_found(admin):
    stranger = make_endpoint(make_organization(), with_sms=False)
    assert admin.get(page_of(stranger)).status_code == 404
    assert admin.post(page_of(stranger), filled(stranger)).status_code == 404


@pytest.mark.parametrize(("role", "seen", "changed"), [(Role.ANALYST, 200, 403), (Role.SUPPORT, 403, 403)])
def test_only_administrators_change_it(client, endpoint, role, seen, changed):
    client.force_login(make_staff(endpoint.organization, role))
    assert client.get(OVERVIEW).status_code == seen
    assert client.get(page_of(endpoint)).status_code == changed


def test_the_setup_page_names_the_step(admin):
    page = admin.get(reverse("portal:setup")).content.decode()
    assert "Telling Epic (optional)" in page
