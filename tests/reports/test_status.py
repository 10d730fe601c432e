import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from prometheus_client import generate_latest

from core import heartbeat, retention
from reports.metrics import OperationsCollector
from reports.services import operations
from sms.models import SmsMessage
from tests.factories import make_endpoint, make_organization, make_visit
from tests.reports.conftest import NOW
from writeback.models import Circuit
from writeback.services import circuits

pytestmark = pytest.mark.django_db
PAGE = reverse("status:page")


def queue(name, organization=None, now=NOW):
    return next(one for one in operations.queues(organization, now=now) if one.name == name)


def test_a_queue_says_how_much_is_due_and_for_how_long(visit):
    SmsMessage.objects.filter(kind="scheduled").update(due_at=NOW - timedelta(minutes=3))
    texts = queue("Texts", visit.organization)
    assert (texts.due, texts.lag(now=NOW)) == (1, timedelta(minutes=3))


def test_a_hospital_sees_its_own_queues_and_the_operator_all(visit):
    stranger = make_visit(make_endpoint(make_organization()))
    SmsMessage.objects.filter(kind="scheduled").update(due_at=NOW)
    assert queue("Texts", visit.organization).due == 1
    assert queue("Texts", stranger.organization).due == 1
    assert queue("Texts").due == 2


def test_the_page_says_that_a_queue_is_late(staff, visit):
    SmsMessage.objects.filter(kind="scheduled").update(due_at=NOW)
    assert "Late" not in staff.get(PAGE).content.decode()
    SmsMessage.objects.filter(kind="scheduled").update(due_at=NOW - timedelta(minutes=3))
    page = staff.get(PAGE).content.decode()
    assert "Late" in page
    assert "Needs attention" in page


def test_an_epic_that_takes_nothing_is_named_with_the_reason(staff, visit):
    Circuit.objects.create(endpoint=visit.endpoint, failures=5, opened_at=NOW, retry_at=NOW, error_code="epic.failing")
    page = staff.get(PAGE).content.decode()
    assert "Does not take what it is told" in page
    assert "epic.failing" in page
    circuits.note(circuits.circuit_of(visit.endpoint), [None], now=NOW)
    assert "Takes what it is told" in staff.get(PAGE).content.decode()


def test_processes_and_the_nightly_look_are_shown_with_their_times(staff):
    heartbeat.beat(heartbeat.WORKER)
    retention.report(now=NOW)
    page = staff.get(PAGE).content.decode()
    assert "Nothing kept too long" in page
    assert "Works" in page
    assert "Away" in page  # no scheduler runs here


def test_the_page_of_one_hospital_names_no_other(staff, visit):
    make_visit(make_endpoint(make_organization(name="Fabrikam Clinics"), name="fabrikam-test"))
    assert "fabrikam" not in staff.get(PAGE).content.decode()


def test_prometheus_gets_queues_circuits_and_processes_and_nothing_of_a_hospital(visit):
    heartbeat.beat(heartbeat.WORKER)
    SmsMessage.objects.filter(kind="scheduled").update(due_at=timezone.now() - timedelta(minutes=3))

    class Registry:
        def collect(self):
            return OperationsCollector().collect()

    text = generate_latest(Registry()).decode()
    assert 'connector_queue_due{queue="texts"} 1.0' in text
    lag = re.search(r'connector_queue_lag_seconds\{queue="texts"\} ([\d.]+)', text)
    assert lag is not None
    assert 180 <= float(lag[1]) < 240
    assert "connector_epic_circuits_open 0.0" in text
    assert 'connector_process_silent_seconds{process="worker"}' in text
    assert "lamna" not in text.lower()
