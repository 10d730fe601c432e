"""Good and poor exactly at the thresholds, and what becomes of call records."""

import json
import re
import uuid
from datetime import timedelta

import pytest
import responses
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from launch.models import DeviceTest, LaunchAttempt
from meetings.providers.teams import throttle, token
from meetings.providers.teams.call_records import _milliseconds
from reports import tasks
from reports.models import CallRecord, CallStream, CallSweep, ReportSettings, SavedView
from reports.presenters.letter import letter_of
from reports.quality import AUDIO, SCREEN, VIDEO, Measures, Thresholds, judge
from reports.services import call_figures, call_quality, refreshing
from reports.services.asked import Asked, recent
from tests.factories import make_staff
from tests.meetings.rows import JOIN_URL
from tests.reports.conftest import NOW, START
from tests.reports.test_report_pages import page, stat, words

GRAPH, ENTRA = "https://graph.example.org", "https://entra.example.org"
LATER = START + timedelta(hours=2)
RECORD_ID = "3cf3bbc8-b21d-4f2e-bfd0-b13603ae6c65"


# --- Thresholds ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "measures", "verdict", "due_to"),
    [
        (AUDIO, {"jitter_ms": _milliseconds("PT0.030S")}, "good", ()),
        (AUDIO, {"jitter_ms": _milliseconds("PT0.031S")}, "poor", ("jitter_ms",)),
        (AUDIO, {"packet_loss": 0.1}, "good", ()),
        (AUDIO, {"packet_loss": 0.101}, "poor", ("packet_loss",)),
        (AUDIO, {"round_trip_ms": 500.0}, "good", ()),
        (AUDIO, {"round_trip_ms": 500.1}, "poor", ("round_trip_ms",)),
        (AUDIO, {"concealed_ratio": 0.07}, "good", ()),
        (AUDIO, {"concealed_ratio": 0.0701}, "poor", ("concealed_ratio",)),
        (AUDIO, {"audio_degradation": 1.0}, "good", ()),
        (AUDIO, {"audio_degradation": 1.01}, "poor", ("audio_degradation",)),
        (AUDIO, {"jitter_ms": 31.0, "packet_loss": 0.2, "round_trip_ms": 10.0}, "poor", ("packet_loss", "jitter_ms")),
        (AUDIO, {}, "unclassified", ()),
        (AUDIO, {"frame_rate": 1.0}, "unclassified", ()),
        (VIDEO, {"frame_loss": 50.0}, "good", ()),
        (VIDEO, {"frame_loss": 50.1}, "poor", ("frame_loss",)),
        (VIDEO, {"frame_rate": 7.0}, "good", ()),
        (VIDEO, {"frame_rate": 6.9}, "poor", ("frame_rate",)),
        (VIDEO, {"post_fec_loss": 0.15}, "good", ()),
        (VIDEO, {"post_fec_loss": 0.151}, "poor", ("post_fec_loss",)),
        (VIDEO, {"frame_loss": 1.0, "frame_rate": 1.0, "post_fec_loss": 1.0}, "good", ()),
        (VIDEO, {"frame_rate": 12.0, "post_fec_loss": 1.0}, "good", ()),
        (VIDEO, {"jitter_ms": 900.0}, "unclassified", ()),
        (SCREEN, {"frame_rate": 2.0}, "good", ()),
        (SCREEN, {"frame_rate": 1.9}, "poor", ("frame_rate",)),
        (SCREEN, {}, "unclassified", ()),
    ],
)
def test_a_stream_is_judged_by_the_published_thresholds(kind, measures, verdict, due_to):
    found = judge(Measures(kind=kind, **measures), Thresholds())
    assert (found.verdict, found.due_to) == (verdict, due_to)


def test_an_organization_may_be_stricter():
    thresholds = Thresholds.of({"jitter_ms": 10, "nonsense": 3})
    assert judge(Measures(kind=AUDIO, jitter_ms=11.0), thresholds).verdict == "poor"
    assert thresholds.round_trip_ms == 500


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("PT0.016S", 16.0), ("PT1M0.5S", 60_500.0), ("PT0S", 0.0), ("P1DT1H", 90_000_000.0), ("-PT1S", -1000.0)],
)
def test_durations_are_read_as_graph_writes_them(text, milliseconds):
    assert _milliseconds(text) == milliseconds


# --- Fetching ------------------------------------------------------------------------------------------------------
def head(*, version=1, url=JOIN_URL, record=RECORD_ID):
    return {
        "id": record, "version": version, "joinWebUrl": url,
        "startDateTime": "2026-11-24T18:01:00Z", "endDateTime": "2026-11-24T18:20:00Z",
    }  # fmt: skip


def session(*, jitter="PT0.010S", user=None, network="wifi", platform="iOS"):
    identity = {"user": {"id": user, "tenantId": "t"}} if user else {"guest": {"id": "g"}, "user": None}
    streams = [{"averageJitter": jitter, "averageRoundTripTime": None, "averagePacketLossRate": 0.01}]
    return {
        "caller": {"identity": identity, "userAgent": {"platform": platform, "productFamily": "Safari"}},
        "callee": {"userAgent": {"role": "mediaProcessor"}},
        "segments": [
            {"media": [{"label": "main-audio", "callerNetwork": {"connectionType": network}, "streams": streams}]},
            {"media": [{"label": "data", "streams": [{}]}]},
        ],
    }


class Graph:
    """Answers for call records; ``heads``, ``known`` and ``details`` are what Teams knows.

    ``fetched`` notes whose streams were read.
    """

    def __init__(self, http):
        self.known = {RECORD_ID: head()}
        self.heads, self.details, self.lists, self.fetched = [[head()]], {}, [], []
        self.details[RECORD_ID] = [[session(), session(user="u", platform="windows")]]
        http.add(responses.POST, re.compile(f"{ENTRA}/.*"), json={"access_token": "t0k3n", "expires_in": 3599})
        http.add_callback(responses.GET, re.compile(f"{GRAPH}/v1.0/communications/callRecords(\\?.*)?$"), self.list)
        http.add_callback(responses.GET, re.compile(f"{GRAPH}/v1.0/communications/callRecords/.*"), self.detail)

    def list(self, request):
        self.lists.append(request.params.get("$filter"))
        number = int(request.params.get("$skiptoken", "0"))
        body = {"value": self.heads[number]}
        if number + 1 < len(self.heads):
            body["@odata.nextLink"] = f"{GRAPH}/v1.0/communications/callRecords?$skiptoken={number + 1}"
        return 200, {}, json.dumps(body)

    def tell(self, known):
        """Let Teams know a record as ``known`` when it is asked for this one."""
        self.known[known["id"]] = known

    def detail(self, request):
        record = request.path_url.split("/")[-1].partition("?")[0]
        if not request.params:
            return 200, {}, json.dumps(self.known[record])
        number = int(request.params.get("$skiptoken", "0"))
        self.fetched.append((record, number))
        pages = self.details[record]
        body = {**head(record=record), "sessions": pages[number]}
        if number + 1 < len(pages):
            body["sessions@odata.nextLink"] = (
                f"{GRAPH}/v1.0/communications/callRecords/{record}?$skiptoken={number + 1}"
            )
        return 200, {}, json.dumps(body)


@pytest.fixture
def graph(settings, meeting, happen):
    token.forget_all()
    throttle.forget_all()
    settings.GRAPH_BASE_URL, settings.ENTRA_BASE_URL = GRAPH, ENTRA
    happen("provider", "connected", 0)
    happen("provider", "disconnected", 60)
    refreshing.refresh(now=LATER)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as http:
        yield Graph(http)


@pytest.mark.django_db
def test_a_record_belongs_to_the_visit_of_its_address(graph, visit):
    graph.heads = [[head(), head(record=str(uuid.uuid4()), url="https://teams.example.org/another")]]
    assert call_quality.sweep_due(now=LATER) == 1
    record = CallRecord.objects.get()
    assert (record.visit, record.good, record.poor, record.unclassified) == (visit, 2, 0, 0)
    assert graph.fetched == [(RECORD_ID, 0)]
    patient, provider = record.streams.order_by("is_staff")
    assert (patient.platform, patient.product, patient.network) == ("iOS", "Safari", "wifi")
    assert (provider.platform, provider.is_staff) == ("windows", True)
    assert patient.measures == {"jitter_ms": 10.0, "packet_loss": 0.01}


@pytest.mark.django_db
def test_every_page_of_records_and_sessions_is_read(graph):
    graph.heads = [[], [head()]]
    graph.details[RECORD_ID] = [[session()], [session(jitter="PT0.031S"), session()]]
    call_quality.sweep_due(now=LATER)
    record = CallRecord.objects.get()
    assert (record.good, record.poor) == (2, 1)


@pytest.mark.django_db
def test_only_a_higher_version_is_fetched_again_and_replaces_the_lower(graph):
    call_quality.sweep_due(now=LATER)
    call_quality.sweep_due(now=LATER + timedelta(hours=1))
    assert len(graph.fetched) == 1
    graph.heads, graph.details[RECORD_ID] = [[head(version=2)]], [[session(jitter="PT0.2S")]]
    call_quality.sweep_due(now=LATER + timedelta(hours=2))
    record = CallRecord.objects.get()
    assert (record.version, record.good, record.poor) == (2, 0, 1)
    assert CallStream.objects.count() == 1


@pytest.mark.django_db
def test_the_first_sweep_looks_back_as_far_as_microsoft_keeps_records_and_the_next_only_a_little(graph):
    call_quality.sweep_due(now=LATER)
    call_quality.sweep_due(now=LATER + timedelta(minutes=5))
    call_quality.sweep_due(now=LATER + timedelta(hours=1))
    call_quality.sweep_due(now=LATER + timedelta(hours=25))
    since = [found.split(" ")[2] for found in graph.lists]
    assert since == ["2026-10-25T21:00:00Z", "2026-11-24T17:00:00Z", "2026-11-22T19:00:00Z"]


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [403, 429, 500])
def test_what_graph_refuses_is_noted_and_looked_for_again(graph, settings, fault):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as http:
        http.add(responses.POST, re.compile(f"{ENTRA}/.*"), json={"access_token": "t0k3n", "expires_in": 3599})
        http.add(responses.GET, re.compile(f"{GRAPH}/.*"), status=fault, json={"error": {"code": "x"}})
        assert call_quality.sweep_due(now=LATER) == 0
    sweep = CallSweep.objects.get()
    assert sweep.error_code.startswith("graph.")
    assert sweep.swept_until is None
    throttle.forget_all()
    assert call_quality.sweep_due(now=LATER + timedelta(hours=1)) == 1
    assert CallSweep.objects.get().error_code == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "broken", [{"id": RECORD_ID}, {**head(), "startDateTime": "yesterday"}, {**head(), "version": "x"}]
)
def test_a_record_that_is_not_as_documented_is_noted(graph, broken):
    graph.heads = [[{**broken, "joinWebUrl": JOIN_URL}]]
    call_quality.sweep_due(now=LATER)
    assert CallSweep.objects.get().error_code == "graph.unreadable_call_record"


@pytest.mark.django_db
def test_a_next_page_elsewhere_is_not_followed(graph):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(responses.POST, re.compile(f"{ENTRA}/.*"), json={"access_token": "t0k3n", "expires_in": 3599})
        body = {"value": [], "@odata.nextLink": "https://evil.example.org/v1.0/x"}
        mock.add(responses.GET, re.compile(f"{GRAPH}/.*"), json=body)
        call_quality.sweep_due(now=LATER)
    assert CallSweep.objects.get().error_code == "graph.unreadable_call_record"


# --- The tab -------------------------------------------------------------------------------------------------------
@pytest.fixture
def reader(graph, visit, client):
    graph.details[RECORD_ID] = [[session(jitter="PT0.05S"), session(user="u", platform="windows", network="wired")]]
    call_quality.sweep_due(now=LATER)
    attempt = LaunchAttempt.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, audience="text"
    )
    results = dict.fromkeys(DeviceTest.CHECKS, "passed") | {"connection": "poor"}
    DeviceTest.objects.create(
        organization=visit.organization, visit=visit, attempt=attempt, created_at=NOW, browser="Safari",
        platform="iOS", **results,
    )  # fmt: skip
    refreshing.refresh(now=LATER)
    client.force_login(make_staff(visit.organization, Role.ADMIN))
    return client


@pytest.mark.django_db
def test_the_tab_shows_verdicts_reasons_groups_and_what_tests_foretold(reader, visit):
    answer = reader.get(reverse("reports:quality"))
    text = answer.content.decode()
    assert (stat(text, "Visits with call records"), stat(text, "Visits with a poor stream")) == ("1", "100%")
    assert (stat(text, "Good streams"), stat(text, "Poor due to")) == ("50%", "Jitter")
    assert "Connection Works poorly 1 100%" in words(text)
    assert "iOS 0 1 0 100%" in words(text)
    assert "Windows 1 0 0 0%" in words(text)
    assert visit.session_id in text
    wired = words(reader.get(reverse("reports:quality"), {"by": "network"}).content.decode())
    assert "Wi-Fi 0 1 0 100%" in wired
    by_department = words(reader.get(reverse("reports:quality"), {"by": "department"}).content.decode())
    assert "LMFM 1 1 0 50%" in by_department


@pytest.mark.django_db
def test_filters_hold_for_calls_too(reader, visit):
    def calls(**query):
        return stat(reader.get(reverse("reports:quality"), query).content.decode(), "Visits with call records")

    assert calls(department="LMFM", status="poor") == "1"
    assert calls(department="CARD") == "0"
    assert calls(status="unclassified") == "0"
    assert calls(days="custom", since="2026-11-01", until="2026-11-23") == "0"


@pytest.mark.django_db
def test_new_thresholds_judge_old_streams_again(reader, visit):
    settings_page = reverse("reports:settings")
    assert "Microsoft: 30" in reader.get(settings_page).content.decode()
    form = {"smallest_shown": "0", "threshold_jitter_ms": "60", "threshold_packet_loss": "0.1"}
    assert reader.post(settings_page, form).status_code == 302
    assert visit.organization.report_settings.thresholds == {"jitter_ms": 60.0}
    tasks.judge_again(str(visit.organization.pk))
    record = CallRecord.objects.get()
    assert (record.good, record.poor) == (2, 0)
    assert call_quality.judge_again(visit.organization) == 0


@pytest.mark.django_db
def test_small_numbers_of_calls_are_hidden(reader, visit, client):
    ReportSettings.objects.create(organization=visit.organization, smallest_shown=5)
    client.force_login(make_staff(visit.organization, Role.REPORT_READER, username="rene.blake@lamna.example.org"))
    text = client.get(reverse("reports:quality")).content.decode()
    assert stat(text, "Visits with call records") == "&lt; 5"
    assert "Single visits are not shown" in text


@pytest.mark.django_db
def test_more_calls_add_no_query(reader, visit):
    url = reverse("reports:quality")
    reader.get(url)
    with CaptureQueriesContext(connection) as one:
        reader.get(url)
    for number in range(8):
        record = CallRecord.objects.create(
            organization=visit.organization, visit=visit, graph_id=uuid.UUID(int=number), version=1, good=1,
            started_at=START, ended_at=START,
        )  # fmt: skip
        CallStream.objects.create(record=record, kind="audio", is_staff=False, verdict="good")
    refreshing.refresh(now=LATER)
    with CaptureQueriesContext(connection) as many:
        reader.get(url)
    assert len(one) == len(many)


@pytest.mark.django_db
def test_numbers_of_the_tab_are_those_of_the_streams(reader, visit):
    asked = Asked(organization=visit.organization, period=recent(visit.organization, days=7, now=LATER))
    found = call_figures.quality(asked)
    streams = list(CallStream.objects.all())
    assert found.streams["poor"] == sum(stream.verdict == "poor" for stream in streams) == 1
    assert found.due_to == {"jitter_ms": 1}
    assert page(reader, "usage")


@pytest.mark.django_db
def test_the_tab_can_be_kept_and_mailed(reader, visit, settings):
    text = reader.get(reverse("reports:quality"), {"status": "poor"}).content.decode()
    assert "All rows as CSV" in text
    assert "tab=quality" in text
    form = {"name": "Calls", "tab": "quality", "query": "days=7"}
    assert reader.post(reverse("reports:save_view"), form).status_code == 302
    letter = letter_of(SavedView.objects.get(), now=LATER)
    assert "Visits with a poor stream: 100%" in letter.body
    summary, attached = letter.attachments
    assert summary.content.startswith(b"%PDF-")
    head, call = attached.content.splitlines()
    assert head.startswith("Started (UTC),Ended (UTC),Visit,")
    assert f"{visit.reference},{visit.endpoint.name},LMFM" in call
    assert call.endswith('1,1,0,Jitter,"Wi-Fi, iOS"')
    assert visit.session_id not in attached.content
