import pytest

from accounts.models import User
from core.models import AuditEvent
from meetings.models import PresenceEvent
from tests.writeback.conftest import set_conference
from writeback.models import WritebackEvent

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State
LIST = "/admin/writeback/writebackevent/"


@pytest.fixture(autouse=True)
def enqueued(monkeypatch):
    """Collect what would be sent to the broker by the admin; news from meetings sends nothing."""
    sent = []
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)
    monkeypatch.setattr("writeback.admin.wake_after_commit", lambda task, _: sent.append(task.name))
    return sent


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", "", "x" * 20))
    return client


def retry(operator, *rows):
    form = {"action": "retry", "_selected_action": [str(row.pk) for row in rows]}
    return operator.post(LIST, form, follow=True).content.decode()


def test_rows_are_a_record_that_nobody_changes(operator, tell, provider):
    row = tell(provider, Kind.CONNECTED)
    assert operator.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert operator.post(f"{LIST}{row.pk}/change/", {"state": "accepted"}).status_code == 403
    assert operator.post(f"{LIST}{row.pk}/delete/").status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403


def test_a_failed_row_is_sent_again(operator, tell, provider, enqueued):
    row = tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.filter(pk=row.pk).update(state=State.FAILED)
    assert "1 to be sent again" in retry(operator, row)
    row.refresh_from_db()
    assert row.state == State.PENDING
    assert enqueued == ["writeback.deliver"]


def test_an_accepted_row_is_left_alone_and_the_operator_told_so(operator, tell, provider):
    row = tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.filter(pk=row.pk).update(state=State.ACCEPTED)
    assert "1 left alone" in retry(operator, row)
    row.refresh_from_db()
    assert row.state == State.ACCEPTED


def test_neither_list_nor_row_shows_an_identifier(operator, visit, tell, provider):
    set_conference(visit, "conference-of-lamna")
    row = tell(provider, Kind.CONNECTED)
    shown = operator.get(LIST).content.decode() + operator.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "Provider 1" in shown
    assert "AOKAFOR" not in shown
    assert "conference-of-lamna" not in shown


def mark_handled(operator, row, **form):
    form = {"action": "mark_handled", "_selected_action": [str(row.pk)], **form}
    return operator.post(LIST, form, follow=True).content.decode()


def test_a_row_is_marked_as_handled_with_a_reason_that_the_audit_trail_keeps(operator, tell, provider):
    row = tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.filter(pk=row.pk).update(state=State.FAILED, error_code="epic.rejected")
    assert "1 marked as handled" in mark_handled(operator, row, reason="Set by hand in Epic")
    row.refresh_from_db()
    assert (row.state, row.handled_by, row.handled_reason) == (State.HANDLED, "operator", "Set by hand in Epic")
    event = AuditEvent.objects.get(action="writeback.handled")
    assert (event.reference, event.actor) == (row.visit.reference, "operator")
    assert event.data == {
        "kind": "connected",
        "was": "failed",
        "code": "epic.rejected",
        "reason": "Set by hand in Epic",
    }


def test_without_a_reason_nothing_is_marked(operator, tell, provider):
    row = tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.filter(pk=row.pk).update(state=State.FAILED)
    assert "write the reason" in mark_handled(operator, row, reason=" ")
    row.refresh_from_db()
    assert row.state == State.FAILED


def test_what_is_on_its_way_cannot_be_marked_as_handled(operator, tell, provider):
    row = tell(provider, Kind.CONNECTED)
    assert "1 left alone" in mark_handled(operator, row, reason="done")
    row.refresh_from_db()
    assert row.state == State.PENDING
