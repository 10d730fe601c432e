"""The Setup page shows what apps registered, and what comes next."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal import wizard
from config_portal.models import SigningKey
from config_portal.presenters.setup import SetupPage
from config_portal.services.setup import progress_of
from config_portal.wizard import SetupStep, StepState, StepStatus
from tests.factories import make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db
SETUP = reverse("portal:setup")


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def plugged():
    """A step of another app, which is gone after the test."""

    def plug(state, **values):
        status = StepStatus(state=state, detail="(833) 555-0142", **values)
        wizard.register(SetupStep(name="other", title="Other app", order=45, status=lambda _: status))

    yield plug
    wizard.unregister("other")


def page_of(organization, now=None):
    now = now or timezone.now()
    return SetupPage(progress=progress_of(organization, now=now), now=now)


def row_of(organization, title, **options):
    return next(row for row in page_of(organization, **options).tasks if row.title.startswith(title))


def test_a_step_of_another_app_stands_where_it_asked_to(organization, plugged):
    plugged(StepState.NOT_STARTED)
    titles = [row.title for row in page_of(organization).tasks]
    assert titles.index("FHIR base URLs and approver") < titles.index("Other app") < titles.index("Pre-flight check")


def test_a_waiting_step_names_for_whom_and_how_long(organization, plugged):
    now = timezone.now()
    plugged(StepState.WAITING, owner="dana@lamna.example.org", since=now - timedelta(days=2))
    row = row_of(organization, "Other app", now=now)
    assert (row.status, row.note) == ("Waiting for dana@lamna.example.org", "for 2 days")


def test_a_step_that_cannot_start_yet_offers_nothing(organization, plugged):
    plugged(StepState.BLOCKED, action_label="Go", action_url="/nowhere")
    row = row_of(organization, "Other app")
    assert (row.status, row.action_label) == ("Cannot start yet", "")


def test_one_row_stands_out_as_the_next_act(organization):
    rows = page_of(organization).tasks
    assert [row.action_kind for row in rows].count("primary") == 1


def test_from_nothing_the_first_address_comes_next():
    organization = make_organization(test_authorized_at=None, production_authorized_at=None)
    assert row_of(organization, "FHIR base URLs").status == "Cannot start yet"
    organization.test_authorized_at = timezone.now()
    organization.save()
    assert row_of(organization, "FHIR base URLs").action_label == "Add a FHIR base URL"


def test_an_incomplete_address_is_named_with_what_it_lacks(organization):
    make_endpoint(organization, approved=False, name="lamna-test", patient_client_id="")
    row = row_of(organization, "FHIR base URLs")
    assert row.detail == "lamna-test lacks client ids, an approver"
    assert row.status == "Needs you"


def test_keys_wait_for_epic_until_it_accepted_a_signature(organization):
    make_endpoint(organization)
    assert row_of(organization, "Keys").status == "Waiting for Epic"
    SigningKey.objects.update(confirmed_at=timezone.now() + timedelta(hours=14))
    row = row_of(organization, "Keys")
    assert row.status == "Done"
    assert "14 hours after they were published" in row.detail


def test_more_addresses_add_no_query(client, organization):
    make_endpoint(organization)
    client.force_login(make_staff(organization, Role.ADMIN))
    client.get(SETUP)
    with CaptureQueriesContext(connection) as one:
        assert client.get(SETUP).status_code == 200
    for number in range(9):
        make_endpoint(organization, base_url=f"https://fhir{number}.example.org/api/FHIR/R4")
    with CaptureQueriesContext(connection) as many:
        assert client.get(SETUP).status_code == 200
    assert len(many) == len(one)
