"""The Teams adapter and the Graph webhooks against the twin's Entra, Graph and Teams, over real sockets."""

import uuid
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from core.http import build_session
from meetings.models import InboundNotification, Meeting, Participant, PresenceEvent, Subscription
from meetings.providers.base import MeetingRequest
from meetings.providers.teams import token, validation
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.provider import TeamsProvider
from meetings.services import (
    attendance,
    leases,
    notifications,
    participants,
    reconciling,
    subscriptions,
    synchronizing,
)
from meetings.services.meetings import ensure_meeting
from meetings.services.suppliers import provider_of
from reports.models import CallRecord
from reports.services import call_quality, refreshing
from tests.contract.graph_twin import Twin
from tests.factories import ORGANIZER_ID, TENANT_ID, approve, make_endpoint, make_visit
from visits.models import Visit
from visits.services.scheduling import end_visit
from writeback.models import WritebackEvent

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.django_db(transaction=True)]

OKAFOR = "aaaaaaaa-0001-4000-8000-000000000005"
SECRET = "only-for-tests"
Kind = PresenceEvent.Kind
CALL = (Kind.CONNECTED, Kind.DISCONNECTED)


@pytest.fixture
def twin(sandbox, settings):
    """Our application, registered in the twin's Entra under an id of its own."""
    client_id = str(uuid.uuid4())
    app = {"client_id": client_id, "client_secret": SECRET, "redirect_uris": []}
    setup = {"entra": {"tenant_id": str(TENANT_ID), "apps": [app]}}
    answer = requests.put(f"{sandbox.url}/control/setup", json=setup, timeout=10)
    assert answer.ok, answer.text
    settings.ENTRA_BASE_URL = f"{sandbox.url}/entra"
    settings.ENTRA_STS_ISSUER = f"{sandbox.url}/entra-sts"
    settings.GRAPH_BASE_URL = f"{sandbox.url}/graph"
    token.forget_all()
    validation.forget_keys()
    return Twin(sandbox.url, client_id)


@pytest.fixture
def faults(twin):
    yield twin.faults
    twin.faults(graph__http="", graph__notifications="", graph__payload="", entra__consent="")


@pytest.fixture
def teams(twin, settings):
    connection = TeamsConnection(
        entra_base_url=settings.ENTRA_BASE_URL,
        graph_base_url=settings.GRAPH_BASE_URL,
        tenant_id=str(TENANT_ID),
        client_id=twin.client_id,
        client_secret=SECRET,
    )
    return TeamsProvider(connection, build_session())


@pytest.fixture
def visit(twin, settings, live_server):
    """A visit of an organization that uses our application; Graph reaches us at a real address."""
    settings.PUBLIC_URL = live_server.url
    endpoint = make_endpoint(approved=False)
    tenant = endpoint.organization.teams_tenant
    tenant.client_id, tenant.client_secret = uuid.UUID(twin.client_id), SECRET
    tenant.save()
    approve(endpoint)
    return make_visit(endpoint, session_id=uuid.uuid4().hex, starts_at=timezone.now() + timedelta(minutes=20))


@pytest.fixture
def meeting(visit):
    """The visit's meeting, subscribed to."""
    meeting = ensure_meeting(visit, now=timezone.now())
    take_next_step()
    assert Subscription.objects.get().is_live(now=timezone.now())
    return meeting


def take_next_step(now=None):
    now = now or timezone.now()
    for subscription in subscriptions.claim_due(now=now):
        subscriptions.advance(subscription, now=now)


def process_all():
    """Do what the worker does, until nothing is left."""
    later = timezone.now() + timedelta(minutes=5)
    for notification in notifications.claim_due(now=later):
        notifications.process(notification, now=timezone.now())


def request(external_id=None, **values):
    return MeetingRequest(
        external_id=external_id or uuid.uuid4().hex,
        organizer_object_id=str(ORGANIZER_ID),
        subject="Virtual visit",
        **values,
    )


def told(participant):
    return [event.kind for event in participant.presence_events.standing()]


def test_asking_twice_gives_one_meeting_with_our_options(twin, teams):
    wanted = request()
    first, second = teams.ensure_meeting(wanted), teams.ensure_meeting(wanted)
    assert first == second
    assert first.option_differences == {}
    assert len(twin.entries("meeting_created", wanted.external_id)) == 1
    assert len(twin.entries("meeting_returned", wanted.external_id)) == 1
    patched = twin.entries("meeting_patched", first.id)[0]["data"]["body"]
    assert patched["lobbyBypassSettings"] == {"scope": "organizationExcludingGuests", "isDialInBypassEnabled": False}


def test_a_wrong_secret_is_refused_as_a_setup_error(teams):
    wrong = TeamsProvider(TeamsConnection(**{**vars(teams.connection), "client_secret": "wrong"}), teams.session)
    with pytest.raises(ConfigurationError) as refused:
        wrong.ensure_meeting(request())
    assert refused.value.code == "entra.credentials_refused"


def test_a_missing_access_policy_is_explained_with_the_cmdlets(twin, teams, faults):
    faults(graph__http="access_policy")
    with pytest.raises(ConfigurationError) as refused:
        teams.ensure_meeting(request())
    assert refused.value.code == "graph.access_policy_missing"
    assert f'New-CsApplicationAccessPolicy -Identity EHR-Connector-Virtual-Visits -AppIds "{twin.client_id}"' in (
        refused.value.user_message
    )


def test_throttling_says_how_long_to_wait(teams, faults):
    faults(graph__http="throttle")
    with pytest.raises(UpstreamUnavailable) as refused:
        teams.ensure_meeting(request())
    assert refused.value.code == "graph.throttled"
    assert refused.value.retry_after


def test_patients_get_an_address_of_their_own_that_opens(twin, teams):
    online = teams.ensure_meeting(request())
    link = teams.patient_link(online, organizer_object_id=str(ORGANIZER_ID))
    assert not link.is_fallback
    assert link.url != online.join_web_url
    assert requests.get(link.url, timeout=10).status_code == 200


def test_a_meeting_moves_and_is_deleted_and_deleting_it_again_is_fine(twin, teams):
    starts_at = timezone.now().replace(microsecond=0) + timedelta(days=1)
    online = teams.ensure_meeting(request(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30)))
    moved = {"starts_at": starts_at + timedelta(hours=1), "ends_at": starts_at + timedelta(hours=2)}
    teams.reschedule(online.id, organizer_object_id=str(ORGANIZER_ID), **moved)
    for _ in range(2):
        teams.delete_meeting(online.id, organizer_object_id=str(ORGANIZER_ID))
    assert len(twin.entries("meeting_deleted", online.id)) == 1
    with pytest.raises(UpstreamRejected) as refused:
        teams.reschedule(online.id, organizer_object_id=str(ORGANIZER_ID), **moved)
    assert refused.value.status == 404


def test_the_handshake_succeeds_with_both_of_our_addresses(twin, meeting, live_server):
    created = twin.entries("subscription_created", meeting.graph_id)
    assert [entry["data"]["url"] for entry in created] == [f"{live_server.url}/webhooks/graph/notifications"]


def test_a_subscription_that_we_forgot_to_store_is_adopted(twin, meeting):
    known = Subscription.objects.get()
    Subscription.objects.update(graph_id="", expires_at=None, due_at=timezone.now())
    take_next_step()
    assert Subscription.objects.get().graph_id == known.graph_id
    assert len(twin.entries("subscription_created", meeting.graph_id)) == 1


def test_a_subscription_is_renewed_and_in_the_end_deleted(twin, meeting):
    Subscription.objects.update(due_at=timezone.now())
    take_next_step()
    assert len(twin.entries("subscription_renewed", meeting.graph_id)) == 1
    end_visit(
        meeting.visit.endpoint,
        meeting.visit.session_id,
        state=Visit.State.CANCELLED,
        changed_at=timezone.now(),
        now=timezone.now(),
    )
    take_next_step()
    assert Subscription.objects.get().state == Subscription.ENDED
    for claimed in leases.claim_due(synchronizing.WORK, now=timezone.now()):
        synchronizing.bring_in_line(claimed, now=timezone.now())
    assert len(twin.entries("subscription_deleted", meeting.graph_id)) == 1
    assert len(twin.entries("meeting_deleted", meeting.graph_id)) == 1


def play(twin, meeting):
    """Let a patient wait and be admitted by a provider, and both leave; return the two participants."""
    now = timezone.now()
    doctor = participants.expect(meeting, role=Participant.Role.PROVIDER, ehr_user_id="E1", now=now)
    patient = participants.expect(meeting, role=Participant.Role.PATIENT, ehr_user_id="E2", now=now)
    waiting = twin.join(meeting.patient_join_url)
    assert waiting["state"] == "lobby"
    provider = twin.join(meeting.join_web_url, OKAFOR)
    assert provider["state"] == "in_call"
    twin.do("admit", meeting, waiting["participant"])
    twin.do("leave", meeting, waiting["participant"])
    twin.do("leave", meeting, provider["participant"])
    return doctor, patient


WHOLE = [Kind.LOBBY_ENTERED, Kind.CONNECTED, Kind.DISCONNECTED]
EVENTS = 7  # waiting, started, provider in, patient in, patient out, provider out, ended


def test_a_whole_visit_is_heard_from_the_lobby_to_the_end(twin, meeting):
    doctor, patient = play(twin, meeting)
    sent = twin.wait_for("notification_sent", meeting.graph_id, count=EVENTS)
    assert {entry["data"]["http_status"] for entry in sent} == {202}
    process_all()
    assert told(patient) == WHOLE
    assert told(doctor) == [Kind.CONNECTED, Kind.DISCONNECTED]
    assert Meeting.objects.get().state == Meeting.State.ENDED
    assert Participant.objects.count() == 2
    assert set(InboundNotification.objects.values_list("state", flat=True)) == {InboundNotification.PROCESSED}


def test_the_call_of_a_visit_is_found_among_the_records_and_judged(twin, meeting):
    began = timezone.now() - timedelta(minutes=1)
    play(twin, meeting)
    twin.wait_for("notification_sent", meeting.graph_id, count=EVENTS)
    process_all()
    refreshing.refresh(now=timezone.now())
    provider = provider_of(meeting)
    later = timezone.now() + timedelta(minutes=1)
    assert call_quality.take_in(provider, meeting.organization, since=began, until=later) == 1
    record = CallRecord.objects.get()
    assert record.visit == meeting.visit
    assert record.good + record.poor == record.streams.count() == 6  # each of two: audio both ways, and video
    assert set(record.streams.values_list("is_staff", flat=True)) == {True, False}
    assert call_quality.take_in(provider, meeting.organization, since=began, until=later) == 0


@pytest.mark.parametrize("generation", ["joined-exited", "delta-remove"])
def test_the_older_payloads_are_heard_without_the_lobby(twin, meeting, faults, generation):
    faults(graph__payload=generation)
    doctor, patient = play(twin, meeting)
    twin.wait_for("notification_sent", meeting.graph_id, count=EVENTS)
    process_all()
    assert told(doctor) == told(patient) == [Kind.CONNECTED, Kind.DISCONNECTED]


@pytest.mark.parametrize(("fault", "count"), [("duplicate", 2 * EVENTS), ("reorder", EVENTS)])
def test_repeated_and_late_deliveries_change_nothing(twin, meeting, faults, fault, count):
    faults(graph__notifications=fault)
    doctor, patient = play(twin, meeting)
    twin.wait_for("notification_sent", meeting.graph_id, count=count)
    process_all()
    assert told(patient) == WHOLE
    assert told(doctor) == [Kind.CONNECTED, Kind.DISCONNECTED]


def test_notifications_with_a_wrong_secret_are_taken_and_ignored(twin, meeting, faults):
    faults(graph__notifications="wrong_client_state")
    play(twin, meeting)
    sent = twin.wait_for("notification_sent", meeting.graph_id, count=EVENTS)
    assert {entry["data"]["http_status"] for entry in sent} == {202}
    process_all()
    assert set(InboundNotification.objects.values_list("error_code", flat=True)) == {"notification.client_state"}
    assert not PresenceEvent.objects.exists()


def test_a_request_to_reauthorize_is_answered_with_a_renewal(twin, meeting):
    twin.do("lifecycle", meeting)
    twin.wait_for("lifecycle_sent", meeting.graph_id)
    process_all()
    take_next_step()
    assert len(twin.entries("subscription_renewed", meeting.graph_id)) == 1


def reconcile_all():
    """Do what the worker does some minutes after the end."""
    now = timezone.now() + timedelta(hours=6)
    for meeting in leases.claim_due(reconciling.WORK, now=now):
        reconciling.reconcile(meeting, now=now)


def attended(twin, meeting):
    """Return who was in the call and when, by the twin's own attendance report."""
    provider = provider_of(meeting)
    organizer = str(meeting.organizer_object_id)
    reports = provider.attendance_reports(meeting.graph_id, organizer_object_id=organizer)
    stays = [stay for report in reports for record in report.records for stay in record.stays]
    return sorted((stay.joined_at, stay.left_at) for stay in stays)


def told_to_epic():
    """Return what the outbox holds for Epic of each participant, in order."""
    rows = WritebackEvent.objects.order_by("participant_id", "sequence").values_list("participant_id", "kind")
    people = {}
    for participant, kind in rows:
        people.setdefault(participant, []).append(kind)
    return people


# What each step of a visit makes Graph send.
STEPS = {"arrive": 1, "provider": 2, "admit": 1, "leave": 1, "end": 2}


@pytest.mark.parametrize("fault", ["drop", "duplicate"])
@pytest.mark.parametrize("lost", [*STEPS, "everything"])
def test_lost_and_repeated_notifications_end_in_what_the_attendance_report_says(twin, meeting, faults, lost, fault):
    times = {"drop": 0, "duplicate": 2}[fault]
    sent = sum(count * (times if lost in {name, "everything"} else 1) for name, count in STEPS.items())
    now = timezone.now()
    participants.expect(meeting, role=Participant.Role.PROVIDER, ehr_user_id="E1", now=now)
    participants.expect(meeting, role=Participant.Role.PATIENT, ehr_user_id="E2", now=now)

    def step(name, act):
        faults(graph__notifications=fault if lost in {name, "everything"} else "")
        return act()

    patient = step("arrive", lambda: twin.join(meeting.patient_join_url))
    provider = step("provider", lambda: twin.join(meeting.join_web_url, OKAFOR))
    step("admit", lambda: twin.do("admit", meeting, patient["participant"]))
    step("leave", lambda: twin.do("leave", meeting, patient["participant"]))
    step("end", lambda: twin.do("leave", meeting, provider["participant"]))
    twin.wait_for("notification_sent", meeting.graph_id, count=sent)
    process_all()
    reconcile_all()
    meeting.refresh_from_db()
    assert (meeting.state, meeting.reconcile_error) == (Meeting.State.ENDED, "")
    assert Participant.objects.count() == 2
    assert list(told_to_epic().values()) == [["connected", "disconnected"]] * 2
    assert_agrees(attended(twin, meeting))
    before = PresenceEvent.objects.count()
    reconcile_all()
    assert PresenceEvent.objects.count() == before


def assert_agrees(stays):
    """Our standing history says of everybody who was in the call when, as the report does."""
    known = [
        [event.at for event in participant.presence_events.standing() if event.kind in CALL]
        for participant in Participant.objects.all()
    ]
    for stay, (joined, left) in zip(stays, sorted(known), strict=True):
        assert abs(stay[0] - joined) < attendance.TOLERANCE
        assert abs(stay[1] - left) < attendance.TOLERANCE
