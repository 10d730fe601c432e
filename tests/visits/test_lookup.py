import pytest

from tests.factories import make_endpoint, make_organization, make_visit
from visits.models import Visit
from visits.services.lookup import find_visits, get_or_create_for_launch

pytestmark = pytest.mark.django_db


def test_a_launch_finds_the_visit_that_the_message_announced():
    endpoint = make_endpoint()
    visit = make_visit(endpoint)
    launched = get_or_create_for_launch(endpoint, session_id="482200417", conference_id="1853")
    assert launched == visit
    assert Visit.objects.get().conference_id == "1853"


def test_a_launch_before_the_message_makes_the_visit_and_the_message_completes_it():
    endpoint = make_endpoint()
    launched = get_or_create_for_launch(endpoint, session_id="482200417", conference_id=None)
    assert launched.starts_at is None
    assert make_visit(endpoint) == launched
    assert Visit.objects.get().starts_at is not None


@pytest.mark.parametrize("text", ["482200417", " 482200417 ", "1853"])
def test_support_finds_a_visit_by_either_number(text):
    endpoint = make_endpoint()
    visit = get_or_create_for_launch(endpoint, session_id="482200417", conference_id="1853")
    assert find_visits(endpoint.organization, text) == [visit]


def test_support_finds_a_visit_by_its_reference_in_any_case():
    visit = make_visit()
    assert find_visits(visit.organization, visit.reference.lower()) == [visit]


def test_another_organization_finds_nothing():
    visit = make_visit()
    stranger = make_organization()
    assert find_visits(stranger, "482200417") == []
    assert find_visits(stranger, visit.reference) == []
