"""Acceptance test 72, the texts: one organization has seven times as much to say, another's go out in time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.models import SmsMessage
from sms.services import sending
from tests.factories import approve, make_endpoint, make_organization, make_sms_configuration, make_visit
from visits.services.scheduling import ScheduledPerson

pytestmark = pytest.mark.django_db
FEW, SEVENFOLD = 8, 7
LATEST = timedelta(seconds=60)


def texts_of(name, number, count):
    endpoint = make_endpoint(make_organization(name=name), with_sms=False, approved=False)
    make_sms_configuration(endpoint, number=number, reminder_minutes=[])
    approve(endpoint)
    for visit in range(count):
        person = ScheduledPerson(record_number=f"E{visit}", phone=f"+160855501{visit:02d}")
        make_visit(endpoint, session_id=str(482_200_000 + visit), people=(person,))
    return SmsMessage.objects.filter(organization=endpoint.organization)


def test_the_texts_of_one_hospital_wait_for_no_others(acs):
    many = texts_of("Lamna Healthcare", "+18335550142", FEW * SEVENFOLD)
    few = texts_of("Tailspin Clinics", "+18445550143", FEW)
    began = timezone.now()
    after = timedelta()
    while few.filter(state=SmsMessage.State.PENDING).exists() and after < LATEST:
        sending.deliver_due(now=began + after)
        after += timedelta(seconds=5)
    assert few.filter(state=SmsMessage.State.ACCEPTED).count() == FEW
    assert after <= LATEST
    assert many.exclude(state__in=[SmsMessage.State.ACCEPTED, SmsMessage.State.PENDING]).count() == 0
    assert len(acs.calls) >= FEW
