from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from core.models import AuditEvent
from sms.models import SmsMessage
from sms.services import planning
from sms.services.quiet import NIGHT, QuietHours
from tests.factories import approve, make_endpoint, make_scheduled, make_sms_configuration, make_visit
from visits.models import Visit
from visits.services.scheduling import ScheduledPerson, end_visit, schedule_visit

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LATER = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)
State, Kind = SmsMessage.State, SmsMessage.Kind


def planned(**filters):
    texts = SmsMessage.objects.filter(**filters).order_by("due_at")
    return [(text.kind, text.offset_minutes) for text in texts]


def test_a_new_visit_plans_a_confirmation_now_and_reminders_before_the_start():
    visit = make_visit(starts_at=NOW + timedelta(days=3))
    assert planned() == [("scheduled", 0), ("reminder", 1440), ("reminder", 120)]
    day_before = SmsMessage.objects.get(offset_minutes=1440)
    assert day_before.due_at == visit.starts_at - timedelta(days=1)


def test_a_visit_booked_later_than_a_reminder_was_due_gets_no_late_reminder():
    make_visit(starts_at=NOW + timedelta(hours=3))
    assert planned() == [("scheduled", 0), ("reminder", 120)]


def test_a_visit_in_the_past_is_not_texted_about():
    make_visit(starts_at=NOW - timedelta(minutes=1))
    assert planned() == []


def test_nothing_is_planned_while_nothing_is_approved():
    make_visit(make_endpoint(approved=False))
    assert planned() == []


def test_choices_take_effect_with_the_approval_and_not_before():
    endpoint = make_endpoint()
    endpoint.sms_configuration.reminder_minutes = [60]
    endpoint.sms_configuration.save()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    assert ("reminder", 60) not in planned()


def test_switched_off_confirmations_are_not_sent_but_reminders_are():
    endpoint = make_endpoint(with_sms=False, approved=False)
    make_sms_configuration(endpoint, confirms_scheduled=False, reminder_minutes=[60])
    approve(endpoint)
    make_visit(endpoint, starts_at=NOW + timedelta(days=1))
    assert planned() == [("reminder", 60)]


def test_a_move_withdraws_what_was_planned_and_plans_the_new_time():
    endpoint = make_endpoint()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=NOW + timedelta(days=5)), now=NOW)
    assert planned(state=State.WITHDRAWN) == [("scheduled", 0), ("reminder", 1440), ("reminder", 120)]
    assert planned(state=State.PENDING) == [("moved", 0), ("reminder", 1440), ("reminder", 120)]


def test_a_cancellation_is_told_only_to_whom_the_visit_was_told():
    endpoint = make_endpoint()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    end_visit(endpoint, "482200417", state=Visit.State.CANCELLED, changed_at=LATER, now=NOW)
    assert planned(state=State.PENDING) == []


def test_a_patient_who_was_told_is_told_of_the_cancellation():
    endpoint = make_endpoint()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    SmsMessage.objects.filter(kind=Kind.SCHEDULED).update(state=State.DELIVERED, first_sent_at=NOW)
    end_visit(endpoint, "482200417", state=Visit.State.CANCELLED, changed_at=LATER, now=NOW)
    assert planned(state=State.PENDING) == [("cancelled", 0)]


def test_a_no_show_is_not_texted_about():
    endpoint = make_endpoint()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    SmsMessage.objects.update(first_sent_at=NOW)
    end_visit(endpoint, "482200417", state=Visit.State.NO_SHOW, changed_at=LATER, now=NOW)
    assert planned(state=State.PENDING) == []


def test_a_new_number_is_told_and_the_reminders_are_not_doubled():
    endpoint = make_endpoint()
    starts_at = NOW + timedelta(days=3)
    make_visit(endpoint, starts_at=starts_at)
    SmsMessage.objects.filter(kind=Kind.SCHEDULED).update(state=State.DELIVERED, accepted_at=NOW)
    people = (ScheduledPerson(record_number="E40021877", phone="+16085550199"),)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=starts_at, people=people), now=NOW)
    assert planned(state=State.PENDING) == [("scheduled", 0), ("reminder", 1440), ("reminder", 120)]


def due_of(offset):
    return SmsMessage.objects.get(offset_minutes=offset).due_at


def only(reminders, **values):
    endpoint = make_endpoint(with_sms=False, approved=False)
    make_sms_configuration(endpoint, reminder_minutes=reminders, **values)
    approve(endpoint)
    return endpoint


def test_a_day_before_is_the_same_time_on_the_clock_also_when_clocks_change_that_night():
    starts_at = datetime(2027, 11, 7, 15, 30, tzinfo=UTC)  # 9:30 in Chicago, the clocks went back that night
    make_visit(starts_at=starts_at)
    assert due_of(1440) == datetime(2027, 11, 6, 14, 30, tzinfo=UTC)  # 9:30 in Chicago
    assert due_of(120) == datetime(2027, 11, 7, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts_at", "minutes", "due_at"),
    [
        # 1:30 in Chicago comes twice on 2026-11-01: first in daylight time, an hour later in standard time.
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 60, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), 60, datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 1440, datetime(2026, 10, 31, 6, 30, tzinfo=UTC)),
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), 1440, datetime(2026, 10, 31, 6, 30, tzinfo=UTC)),
        # A day after the fold: the first of the two 1:30s.
        (datetime(2026, 11, 2, 7, 30, tzinfo=UTC), 1440, datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        # 2:30 in Chicago does not exist on 2027-03-14: 3:30 stands for it.
        (datetime(2027, 3, 15, 7, 30, tzinfo=UTC), 1440, datetime(2027, 3, 14, 8, 30, tzinfo=UTC)),
        (datetime(2027, 3, 14, 8, 30, tzinfo=UTC), 60, datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),
    ],
)
def test_both_nights_of_the_clock_change_give_one_exact_moment(starts_at, minutes, due_at):
    assert planning.reminder_due(starts_at, minutes, time_zone="America/Chicago") == due_at


def test_a_day_lead_that_is_due_soon_after_booking_would_only_repeat_the_confirmation():
    make_visit(only([1440, 60]), starts_at=NOW + timedelta(hours=30))
    assert planned() == [("scheduled", 0), ("reminder", 60)]


def test_without_a_confirmation_that_day_lead_is_not_left_out():
    make_visit(only([1440], confirms_scheduled=False), starts_at=NOW + timedelta(hours=30))
    assert planned() == [("reminder", 1440)]


@pytest.mark.parametrize(
    ("minutes", "late"), [(10080, 720), (1440, 720), (120, 60), (60, 30), (20, 15), (10, 5)], ids=str
)
def test_how_late_a_reminder_may_be_follows_from_how_early_it_was_meant(minutes, late):
    make_visit(only([minutes], confirms_scheduled=False), starts_at=NOW + timedelta(days=9))
    text = SmsMessage.objects.get()
    assert text.expires_at - text.due_at == timedelta(minutes=late)


def test_a_new_time_is_told_when_the_schedule_has_settled():
    endpoint = make_endpoint()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=NOW + timedelta(days=5)), now=NOW)
    assert SmsMessage.objects.get(kind=Kind.MOVED).due_at == NOW + timedelta(seconds=60)


def test_a_hundred_moves_in_a_minute_are_one_text_and_an_alarm():
    endpoint = make_endpoint()
    make_visit(endpoint, starts_at=NOW + timedelta(days=3))
    SmsMessage.objects.filter(kind=Kind.SCHEDULED).update(state=State.DELIVERED, first_sent_at=NOW, accepted_at=NOW)
    for n in range(1, 101):
        moved = make_scheduled(changed_at=LATER + timedelta(seconds=n), starts_at=NOW + timedelta(days=3, minutes=n))
        schedule_visit(endpoint, moved, now=NOW + timedelta(seconds=n * 0.6))
    assert planned(state=State.PENDING, kind=Kind.MOVED) == [("moved", 0)]
    assert SmsMessage.objects.filter(state=State.PENDING, kind=Kind.REMINDER).count() == 2
    assert AuditEvent.objects.filter(action="sms.visit_cap_reached").count() == 1


def test_the_same_message_twice_plans_nothing_twice():
    visit = make_visit(starts_at=NOW + timedelta(days=3))
    before = planned()
    planning.plan_confirmation(visit, Kind.SCHEDULED, now=NOW + timedelta(minutes=1))
    assert planned() == before


# Quiet hours from 20:00 to 8:00; in Chicago it is UTC-5 in September. +1608 is Wisconsin, the same zone.
BOOKED = datetime(2027, 9, 10, 15, 0, tzinfo=UTC)


def quiet_plan(reminders, starts_at, *, now=BOOKED, phone="+16085550177", time_zone="America/Chicago"):
    endpoint = only(reminders, quiet_from=time(20), quiet_until=time(8))
    people = (ScheduledPerson(record_number="E40021877", phone=phone),)
    schedule_visit(endpoint, make_scheduled(starts_at=starts_at, people=people, time_zone=time_zone), now=now)
    return {text.offset_minutes: text.due_at for text in SmsMessage.objects.all()}


def test_a_reminder_that_would_ring_at_night_waits_for_the_morning():
    due = quiet_plan([600], datetime(2027, 9, 20, 20, 0, tzinfo=UTC))  # 15:00, so ten hours before is 5:00
    assert due[600] == datetime(2027, 9, 20, 13, 0, tzinfo=UTC)  # 8:00


def test_a_reminder_that_cannot_wait_for_the_morning_rings_the_evening_before():
    due = quiet_plan([240], datetime(2027, 9, 20, 12, 0, tzinfo=UTC))  # 7:00, so four hours before is 3:00
    assert due[240] == datetime(2027, 9, 20, 0, 45, tzinfo=UTC)  # 19:45 on the day before


def test_a_reminder_shortly_before_an_early_visit_rings_from_half_past_six():
    due = quiet_plan([60], datetime(2027, 9, 20, 13, 0, tzinfo=UTC))  # 8:00
    assert due[60] == datetime(2027, 9, 20, 12, 0, tzinfo=UTC)  # 7:00
    assert (time(22), time(6, 30)) == NIGHT


def test_a_confirmation_in_the_night_waits_for_the_morning():
    due = quiet_plan([], datetime(2027, 9, 20, 20, 0, tzinfo=UTC), now=datetime(2027, 9, 11, 4, 0, tzinfo=UTC))
    assert due[0] == datetime(2027, 9, 11, 13, 0, tzinfo=UTC)


def test_a_confirmation_of_a_visit_this_very_night_does_not_wait():
    now = datetime(2027, 9, 11, 4, 0, tzinfo=UTC)  # 23:00
    due = quiet_plan([60], datetime(2027, 9, 11, 11, 0, tzinfo=UTC), now=now)  # for 6:00
    assert due == {0: now}  # and no reminder at 5:00: the evening is over


def test_quiet_hours_hold_where_the_phone_is_too():
    # A visit of a clinic in New York at 11:00, reminder at 9:00; the phone is in California, where it is 6:00.
    due = quiet_plan(
        [300],
        datetime(2027, 9, 20, 18, 0, tzinfo=UTC),
        phone="+12135550177",
        time_zone="America/New_York",
    )
    assert due[300] == datetime(2027, 9, 20, 15, 0, tzinfo=UTC)  # 8:00 in California


def test_zones_that_never_agree_still_give_one_moment():
    hours = QuietHours(time(12), time(8), ("America/New_York", "Pacific/Honolulu"))
    assert isinstance(hours.end_after(datetime(2027, 9, 20, 6, 0, tzinfo=UTC)), datetime)
