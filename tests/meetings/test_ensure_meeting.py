import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.x509 import load_pem_x509_certificate
from django.db import connection, transaction
from django.utils import timezone

from core.errors import ConfigurationError, LaunchRefused
from core.models import AuditEvent
from meetings.models import Meeting, Subscription
from meetings.providers.base import MeetingOptions
from meetings.providers.teams.meetings import graph_options
from meetings.services.meetings import cancel_meeting, ensure_meeting, external_id
from tests.factories import ORGANIZER_ID, TENANT_ID, approve, make_endpoint, make_visit
from visits.models import Visit

THREADS = 50


def ensure(visit, **values):
    return ensure_meeting(visit, now=timezone.now(), **values)


@pytest.mark.django_db
def test_the_first_join_makes_the_meeting_with_safe_options(peer):
    visit = make_visit()
    meeting = ensure(visit)
    assert meeting.state == Meeting.State.READY
    assert meeting.join_web_url == "https://teams.example.org/l/meetup-join/meeting-1/0"
    assert meeting.patient_join_url == "https://visit.example.org/route?convId=1"
    assert meeting.option_differences == {}
    assert peer.patches[0].items() >= graph_options(MeetingOptions()).items()
    assert peer.patches[0]["startDateTime"] == visit.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.django_db
def test_the_second_join_asks_teams_nothing(peer):
    visit = make_visit()
    first = ensure(visit)
    asked = peer.calls.total()
    assert ensure(Visit.objects.get(pk=visit.pk)) == first
    assert peer.calls.total() == asked


@pytest.mark.django_db
def test_a_new_meeting_is_to_be_subscribed_to_and_audited(peer):
    meeting = ensure(make_visit())
    assert Subscription.objects.get().meeting == meeting
    assert AuditEvent.objects.filter(action="meeting.created", subject_id=str(meeting.pk)).count() == 1


@pytest.mark.django_db
def test_the_session_id_does_not_leave_the_hospital(peer):
    visit = make_visit(session_id="482200417")
    ensure(visit)
    sent = next(iter(peer.meetings))
    assert "482200417" not in sent
    assert sent == external_id(visit, generation=1)
    assert external_id(make_visit(session_id="482200417"), generation=1) != sent


@pytest.mark.django_db(transaction=True)
def test_concurrent_first_joins_make_one_meeting_with_one_call(peer):
    visit = make_visit()
    everybody_is_here = threading.Barrier(THREADS)

    def join(_):
        try:
            everybody_is_here.wait(timeout=30)
            return ensure(Visit.objects.get(pk=visit.pk)).join_web_url
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        addresses = set(pool.map(join, range(THREADS)))
    connection.close()
    assert addresses == {"https://teams.example.org/l/meetup-join/meeting-1/0"}
    assert Meeting.objects.count() == Subscription.objects.count() == 1
    assert peer.calls["create"] == 1


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_teams_works(peer):
    open_transactions = []
    peer.on_create = lambda: open_transactions.append(transactions_in_progress())
    ensure(make_visit())
    assert open_transactions == [0]


def transactions_in_progress() -> int:
    """Return how many connections hold a transaction open without doing anything, as one calling Graph would."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            )
            return int(cursor.fetchone()[0])
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_that_do_not_wait_for_each_other_still_make_one_meeting(peer, monkeypatch):
    monkeypatch.setattr("meetings.services.single_flight.LONGEST_WAIT_SECONDS", 0.001)
    visit = make_visit()
    both_are_calling = threading.Barrier(2)
    peer.on_create = lambda: both_are_calling.wait(timeout=30)

    def join(_):
        try:
            return ensure(Visit.objects.get(pk=visit.pk)).graph_id
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(join, range(2))) == {"meeting-1"}
    assert Meeting.objects.count() == 1
    assert peer.calls["create"] == 2


@pytest.mark.django_db(transaction=True)
def test_a_caller_with_an_open_transaction_is_told_off(peer):
    visit = make_visit()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        ensure(visit)


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_given_back_when_teams_fails(peer):
    visit = make_visit()

    def fail():
        raise ConnectionResetError

    peer.on_create = fail
    with pytest.raises(Exception, match="graph"):
        ensure(visit)
    peer.on_create = lambda: None
    assert ensure(visit).is_joinable


@pytest.mark.django_db
@pytest.mark.parametrize("state", [Visit.State.CANCELLED, Visit.State.NO_SHOW])
def test_nobody_joins_a_visit_that_does_not_take_place(peer, state):
    visit = make_visit()
    ensure(visit)
    Visit.objects.filter(pk=visit.pk).update(state=state)
    visit.refresh_from_db()
    with pytest.raises(LaunchRefused) as refused:
        ensure(visit)
    assert refused.value.code == "meeting.visit_ended"


@pytest.mark.django_db(transaction=True)
def test_a_visit_cancelled_while_teams_works_gives_nobody_the_address_and_is_deleted_later(peer):
    visit = make_visit()

    def cancel_meanwhile():
        cancel_meeting(visit, now=timezone.now())
        connection.close()

    peer.on_create = cancel_meanwhile
    with pytest.raises(LaunchRefused):
        ensure(visit)
    meeting = Meeting.objects.get()
    assert meeting.state == Meeting.State.CANCELLED
    assert meeting.graph_id == "meeting-1"
    assert meeting.sync_due_at is not None


@pytest.mark.django_db
def test_a_visit_without_times_gets_a_meeting_without_times(peer):
    visit = make_visit()
    Visit.objects.filter(pk=visit.pk).update(starts_at=None, ends_at=None)
    assert ensure(Visit.objects.get(pk=visit.pk)).is_joinable
    assert "startDateTime" not in peer.patches[0]


@pytest.mark.django_db
def test_the_tenant_is_the_approved_one_whatever_the_draft_says(peer):
    visit = make_visit()
    approved = visit.organization.teams_tenant.organizer_object_id
    tenant = visit.organization.teams_tenant
    tenant.organizer_object_id = "aaaaaaaa-0001-4000-8000-000000000001"
    tenant.save()
    assert ensure(visit).organizer_object_id == approved


@pytest.mark.django_db
def test_an_endpoint_that_is_not_approved_makes_no_meeting(peer):
    visit = make_visit(make_endpoint(approved=False))
    with pytest.raises(ConfigurationError) as refused:
        ensure(visit)
    assert refused.value.code == "endpoint.not_approved"
    assert not Meeting.objects.exists()
    assert peer.calls.total() == 0


@pytest.mark.django_db
def test_the_secret_of_another_application_is_not_sent(peer):
    visit = make_visit()
    tenant = visit.organization.teams_tenant
    tenant.client_id = "99999999-2222-4333-8444-555555555555"
    tenant.save()
    with pytest.raises(ConfigurationError) as refused:
        ensure(visit)
    assert refused.value.code == "entra.credentials_missing"
    assert peer.calls.total() == 0


@pytest.mark.django_db
def test_addresses_are_not_readable_in_the_database(peer):
    ensure(make_visit())
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM meetings_meeting m")
        stored = cursor.fetchone()[0]
    assert "teams.example.org" not in stored
    assert "visit.example.org" not in stored


@pytest.mark.django_db
def test_a_meeting_of_last_hour_is_joined_again(peer):
    visit = make_visit()
    meeting = ensure(visit)
    Meeting.objects.filter(pk=meeting.pk).update(state=Meeting.State.ENDED, ended_at=timezone.now())
    assert ensure(visit).join_web_url == meeting.join_web_url


def with_tenant(**values):
    endpoint = make_endpoint(approved=False)
    tenant = endpoint.organization.teams_tenant
    for name, value in values.items():
        setattr(tenant, name, value)
    tenant.save()
    approve(endpoint)
    return make_visit(endpoint)


PROVIDER, COLLEAGUE = uuid.UUID(int=501), uuid.UUID(int=502)


@pytest.mark.parametrize(
    ("mode", "provider", "organizer"),
    [
        ("service", None, ORGANIZER_ID),
        ("service", PROVIDER, ORGANIZER_ID),
        ("first_provider", PROVIDER, PROVIDER),
        ("first_provider", None, ORGANIZER_ID),
    ],
)
@pytest.mark.django_db
def test_whose_meeting_it_is_follows_the_approved_mode(peer, mode, provider, organizer):
    visit = with_tenant(organizer_mode=mode)
    assert ensure(visit, opened_by=provider).organizer_object_id == organizer
    assert ensure(visit, opened_by=COLLEAGUE).organizer_object_id == organizer
    assert peer.calls["create"] == 1


@pytest.mark.django_db
def test_the_options_are_the_approved_ones(peer):
    visit = with_tenant(lobby_scope="organizer", allowed_presenters="organizer", meeting_chat="disabled")
    meeting = ensure(visit)
    assert (
        peer.patches[0].items()
        >= {
            "lobbyBypassSettings": {"scope": "organizer", "isDialInBypassEnabled": False},
            "allowedPresenters": "organizer",
            "allowMeetingChat": "disabled",
        }.items()
    )
    assert meeting.option_differences == {}


@pytest.mark.django_db
def test_a_certificate_takes_the_place_of_the_secret(peer):
    visit = make_visit()
    key = visit.organization.signing_keys.get(purpose="smart-rs384")
    tenant = visit.organization.teams_tenant
    tenant.certificate, tenant.certificate_key = key.certificate, key.private_key
    tenant.save()
    ensure(visit)
    (form,) = peer.forms
    assert "client_secret" not in form
    public = load_pem_x509_certificate(key.certificate.encode()).public_key()
    audience = f"{peer.url}/entra/{TENANT_ID}/oauth2/v2.0/token"
    claims = jwt.decode(form["client_assertion"], public, algorithms=["PS256"], audience=audience)
    assert claims["sub"] == str(tenant.client_id)
