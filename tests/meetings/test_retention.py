from datetime import timedelta

import pytest
from django.utils import timezone

from meetings.models import Participant
from meetings.services import retention
from tests import factories
from tests.meetings.rows import make_meeting

pytestmark = pytest.mark.django_db
KEPT = timedelta(days=30)


def test_who_took_part_is_erased_a_month_after_the_visit_and_the_roles_stay():
    visit = factories.make_visit()
    meeting = make_meeting(visit)
    now = timezone.now()
    person = Participant.objects.create(
        organization=visit.organization, meeting=meeting, role="provider", ordinal=1, state_at=now, created_at=now,
        ehr_user_id="AOKAFOR", entra_object_id=factories.ORGANIZER_ID,
    )  # fmt: skip
    late = visit.ends_at + KEPT
    assert retention.purge_identities(now=late - timedelta(seconds=1), kept=KEPT) == 0
    assert retention.count_overdue_identities(late + timedelta(days=2)) == 1
    assert retention.purge_identities(now=late, kept=KEPT) == 1
    person = Participant.objects.get()
    assert (person.ehr_user_id, person.entra_object_id, person.label) == ("", None, "Provider 1")
    assert retention.purge_identities(now=late, kept=KEPT) == 0
    assert retention.count_overdue_identities(late + timedelta(days=2)) == 0
