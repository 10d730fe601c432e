"""Acceptance tests 25, 26 and 34: below every filter of ours PostgreSQL hides other organizations' rows."""

import uuid
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from core import audit, scope
from core.access import access
from core.middleware import ScopeMiddleware
from core.models import AuditChain, AuditEvent
from launch.models import Invitation, LaunchAttempt, OAuthState, ProviderAccount
from tests.factories import make_endpoint, make_organization, make_staff, make_visit
from tests.repo.access_table import ACCESS
from visits.models import JoinLink, PatientContact
from visits.services.links import ensure_link

GUARDED = [AuditChain, AuditEvent, Invitation, JoinLink, LaunchAttempt, OAuthState, PatientContact, ProviderAccount]

pytestmark = pytest.mark.django_db


def things_of(name):
    """Return an organization with at least one row in every guarded table."""
    organization = make_organization(name=name)
    endpoint = make_endpoint(organization)
    visit = make_visit(endpoint)
    ensure_link(visit.contacts.get())
    attempt = LaunchAttempt.objects.create(
        organization=organization, endpoint=endpoint, visit=visit, audience=LaunchAttempt.Audience.PROVIDER
    )
    OAuthState.objects.create(
        attempt=attempt, state_digest=uuid.uuid4().hex, cookie_digest="0" * 64, code_verifier="v", nonce="n",
        expires_at=visit.created_at,
    )  # fmt: skip
    Invitation.objects.create(
        organization=organization, visit=visit, role=Invitation.Role.FAMILY, token_index=uuid.uuid4().hex,
        created_at=visit.created_at, expires_at=visit.created_at,
    )  # fmt: skip
    ProviderAccount.objects.create(
        organization=organization, ehr_user_index=uuid.uuid4().hex, tenant_id=uuid.uuid4(), object_id=uuid.uuid4(),
        signed_in_at=visit.created_at,
    )  # fmt: skip
    audit.record("test.happened", organization_id=organization.pk)
    return organization


@pytest.fixture
def hospitals(plain_role):
    return [things_of(name) for name in ("Lamna Healthcare", "Tailspin Clinics")]


@contextmanager
def within(organization):
    with scope.within(scope.of_organization(organization.pk)):
        yield


def count(model):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {model._meta.db_table}")  # noqa: S608 - a table of ours
        return cursor.fetchone()[0]


def ids(model):
    return {row.pk for row in model.objects.all()}


@pytest.mark.parametrize("model", GUARDED)
def test_sql_without_a_scope_finds_nothing(hospitals, model):
    assert count(model) >= 2
    with scope.within(scope.NOTHING):
        assert count(model) == 0


def test_a_connection_that_was_told_nothing_finds_nothing(hospitals):
    with connection.cursor() as cursor:
        cursor.execute("RESET connector.organization")
        cursor.execute("SELECT count(*) FROM core_auditevent")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("model", GUARDED)
def test_a_query_without_a_scope_is_refused(hospitals, model):
    with scope.within(scope.NOTHING), pytest.raises(scope.ScopeMissing):
        model.objects.count()


def test_a_query_of_what_belongs_to_a_visit_is_refused_too(hospitals):
    visit = hospitals[0].visits.get()
    with scope.within(scope.NOTHING), pytest.raises(scope.ScopeMissing):
        visit.contacts.count()


@pytest.mark.parametrize("model", GUARDED)
def test_an_organization_finds_its_own_rows_although_nothing_was_filtered(hospitals, model):
    seen = []
    for hospital in hospitals:
        with within(hospital):
            seen.append(ids(model))
    assert seen[0]
    assert seen[1]
    assert not seen[0] & seen[1]
    assert seen[0] | seen[1] <= ids(model)


def test_what_another_organization_owns_cannot_be_written(hospitals):
    mine, foreign = hospitals
    visit = foreign.visits.get()
    with within(mine), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        PatientContact.objects.create(visit=visit, purge_at=visit.created_at)
    with within(mine):
        assert LaunchAttempt.objects.filter(organization=foreign).update(error_code="changed") == 0
        assert JoinLink.objects.filter(visit=visit).delete() == (0, {})


def test_the_scope_is_right_again_after_a_rollback(hospitals):
    """PostgreSQL takes settings back with the transaction that made them; so must what we believe of them."""
    mine, foreign = hospitals
    for hospital in (mine, foreign, mine):
        with within(hospital), transaction.atomic():
            assert ids(LaunchAttempt) == {hospital.launch_attempts.get().pk}
            transaction.set_rollback(True)
        with within(foreign):
            assert ids(LaunchAttempt) == {foreign.launch_attempts.get().pk}
    with pytest.raises(DatabaseError), transaction.atomic(), within(mine):
        connection.cursor().execute("SELECT no_such_column FROM core_auditevent")
    assert count(AuditEvent) >= 2


def test_rows_that_are_streamed_stay_in_the_scope_of_their_request(hospitals):
    with within(hospitals[0]):
        wanted = ids(AuditEvent)
        lines = scope.kept(event.pk for event in AuditEvent.objects.iterator(chunk_size=1))
    assert scope.current().setting == scope.PLATFORM
    with within(hospitals[1]):
        assert set(lines) == wanted


@pytest.mark.parametrize("rounds", [100, pytest.param(1000, marks=pytest.mark.chaos)])
def test_requests_of_two_organizations_in_turn_on_one_connection_never_cross(hospitals, rounds, monkeypatch):
    """Every filter by organization is taken out of the views' way: what is left is the database's own."""
    monkeypatch.setattr(
        "config_portal.services.audit_trail.AuditEvent.objects.filter",
        lambda **_: AuditEvent.objects.all(),
        raising=False,
    )
    browsers, pid = [], connection.connection.info.backend_pid
    for number, hospital in enumerate(hospitals):
        audit.record(f"test.only_{number}", organization_id=hospital.pk)
        browser = Client()
        browser.force_login(make_staff(hospital, Role.ADMIN, username=f"{number}@lamna.example.org"))
        browsers.append(browser)
    for turn in range(rounds):
        number = turn % 2
        page = browsers[number].get(reverse("portal:audit_export"), {"format": "json"})
        text = b"".join(page.streaming_content).decode()
        assert f"test.only_{number}" in text
        assert f"test.only_{1 - number}" not in text
    assert connection.connection.info.backend_pid == pid


def test_only_the_support_desk_of_the_operator_reaches_everybody(hospitals, django_user_model):
    audit.record("test.in_second", organization_id=hospitals[1].pk, reference="K7M-2XQ9")
    address = reverse("admin:launch_launchattempt_changelist")
    operator, support = Client(), Client()
    operator.force_login(django_user_model.objects.create_superuser("operator", password="a long enough password"))
    support.force_login(make_staff(hospitals[0], Role.SUPPORT))
    assert "2 launch attempts" in operator.get(address).content.decode()
    assert "1 launch attempt" in support.get(address).content.decode()


@pytest.mark.parametrize("rule", sorted(set(ACCESS.values())))
def test_every_access_rule_leads_to_a_scope(rule, rf, plain_role):
    """A script's is known once its token was read, and only then."""
    request, organization = rf.get("/"), make_organization()
    request.organization = organization
    view = access(rule)(lambda _request: None)
    with scope.within(scope.NOTHING):
        ScopeMiddleware(view).process_view(request, view, (), {})
        is_of_staff = rule == "staff" or rule.startswith("portal: ")
        wanted = str(organization.pk) if is_of_staff else "" if rule == "token" else scope.PLATFORM
        assert scope.current().setting == wanted


@pytest.mark.parametrize("statement", ["UPDATE core_auditevent SET actor = 'x'", "DELETE FROM core_auditevent"])
def test_the_roles_rights_do_not_reach_what_happened(hospitals, statement):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_role_may_change_no_table(hospitals):
    statement = "ALTER TABLE core_auditevent DISABLE ROW LEVEL SECURITY"
    with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
        connection.cursor().execute(statement)
