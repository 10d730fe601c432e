"""A look-up whose SQL is written once finds what Django's own query finds."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from config_portal.models import FhirEndpoint, Organization, SigningKey
from core import scope
from core.queries import Lookup
from launch.models import LaunchAttempt
from tests.factories import make_endpoint, make_visit
from visits.models import Visit

pytestmark = pytest.mark.django_db

JOINED = ("endpoint__organization", "endpoint__approved_version", "visit", "contact")
ATTEMPTS = Lookup(lambda: LaunchAttempt.objects.select_related(*JOINED), "id")


def make_attempt(visit: Visit | None = None) -> LaunchAttempt:
    endpoint = visit.endpoint if visit is not None else make_endpoint()
    return LaunchAttempt.objects.create(
        organization=endpoint.organization, endpoint=endpoint, visit=visit, audience="provider", ehr_user_id="eP.okafor"
    )


def columns(row: models.Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_row_and_joined_rows_are_those_of_the_query_set():
    made = make_attempt(make_visit())
    theirs = LaunchAttempt.objects.select_related(*JOINED).get(pk=made.pk)
    with CaptureQueriesContext(connection) as asked:
        ours = ATTEMPTS.get(made.pk)
        pairs = [
            (ours, theirs),
            (ours.visit, theirs.visit),
            (ours.endpoint, theirs.endpoint),
            (ours.endpoint.organization, theirs.endpoint.organization),
            (ours.endpoint.approved_version, theirs.endpoint.approved_version),
        ]
    assert len(asked) == 1
    for one, other in pairs:
        assert type(one) is type(other)
        assert columns(one) == columns(other)
    assert ours.ehr_user_id == "eP.okafor"  # encrypted in the table
    assert ours.endpoint.approved_version.snapshot["endpoint"]["base_url"] == ours.endpoint.base_url  # JSON
    assert ours.contact is None
    assert not ours._state.adding
    assert ours._state.db == "default"


def test_what_it_returns_can_be_changed_and_saved():
    made = make_attempt(make_visit())
    found = ATTEMPTS.get(made.pk)
    found.role = "provider"
    found.save(update_fields=["role"])
    assert LaunchAttempt.objects.get().role == "provider"


def test_each_call_looks_for_what_it_is_given():
    one, other = make_attempt(make_visit()), make_attempt()
    assert ATTEMPTS.get(one.pk) == one
    assert ATTEMPTS.get(str(other.pk)) == other
    assert ATTEMPTS.find(one.organization_id) is None
    with pytest.raises(ObjectDoesNotExist):
        ATTEMPTS.get(one.organization_id)


def test_fields_over_relations_enumerations_and_fixed_conditions():
    visit = make_visit()
    started = Lookup(lambda: LaunchAttempt.objects.filter(state="started"), "visit__endpoint", "audience")
    attempt = make_attempt(visit)
    assert started.find(visit.endpoint_id, LaunchAttempt.Audience.PROVIDER) == attempt
    assert started.find(visit.endpoint_id, LaunchAttempt.Audience.PATIENT) is None
    LaunchAttempt.objects.update(state="refused")
    assert started.find(visit.endpoint_id, LaunchAttempt.Audience.PROVIDER) is None


def test_a_reverse_relation_is_there_or_known_to_be_missing():
    endpoint, bare = make_endpoint(), Organization.objects.create(name="Fourth Coffee Clinic", slug="fourth-coffee")
    tenants = Lookup(lambda: Organization.objects.select_related("teams_tenant"), "id")
    found = tenants.get(endpoint.organization_id)
    with CaptureQueriesContext(connection) as asked:
        assert found.teams_tenant == endpoint.organization.teams_tenant
        assert getattr(tenants.get(bare.pk), "teams_tenant", None) is None
    assert len([one for one in asked.captured_queries if "teamstenant" in one["sql"].lower()]) == 1


def test_the_sql_is_written_once(monkeypatch):
    visits = Lookup(Visit.objects.all, "endpoint", "session_index")
    visit = make_visit()
    visits.get(visit.endpoint_id, visit.session_index)
    monkeypatch.setattr(models.QuerySet, "filter", lambda *_args, **_values: pytest.fail("written again"))
    assert visits.get(visit.endpoint_id, visit.session_index).pk == visit.pk


def test_code_that_does_not_say_whose_rows_it_wants_is_refused():
    attempt = make_attempt()
    ATTEMPTS.get(attempt.pk)
    with scope.within(scope.NOTHING), pytest.raises(scope.ScopeMissing):
        ATTEMPTS.find(attempt.pk)


@pytest.mark.django_db(transaction=True)
def test_many_threads_share_it():
    keys = Lookup(FhirEndpoint.objects.all, "launch_id")
    endpoint = make_endpoint()

    def find(_number: int) -> object:
        try:
            with scope.within(scope.of_platform("test")):
                return keys.get(endpoint.launch_id).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(find, range(40))) == {endpoint.pk}


def test_a_field_that_has_no_column_is_refused():
    lookup = Lookup(SigningKey.objects.all, "organization__visits")
    with pytest.raises(FieldDoesNotExist):
        lookup.find("x")
