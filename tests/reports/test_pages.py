from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from tests.factories import make_endpoint, make_organization, make_staff, make_visit

pytestmark = pytest.mark.django_db
BOARD, SEARCH, USAGE = reverse("visits:board"), reverse("visits:search"), reverse("reports:usage")


def detail(visit):
    return reverse("visits:detail", args=[visit.pk])


def test_the_timeline_page_names_visit_environment_and_figures(staff, visit, happen):
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    happen("patient", "connected", 72)
    page = staff.get(detail(visit)).content.decode()
    assert "Visit 482200417" in page
    assert "TEST" in page
    assert "1:12" in page
    assert "In visit" in page


def test_the_live_refresh_is_the_body_alone(staff, visit):
    part = staff.get(detail(visit), headers={"HX-Request": "true"}).content.decode()
    assert "Visit 482200417" in part
    assert "<html" not in part


def test_a_visit_of_another_organization_is_the_same_404_as_none(staff, visit):
    stranger = make_visit(make_endpoint(make_organization(), with_sms=False))
    foreign = staff.get(detail(stranger))
    nothing = staff.get(reverse("visits:detail", args=["00000000-0000-4000-8000-000000000000"]))
    assert foreign.status_code == nothing.status_code == 404
    assert len(foreign.content) == len(nothing.content)


@pytest.mark.parametrize(
    ("role", "url", "status"),
    [
        (Role.ADMIN, BOARD, 200),
        (Role.ANALYST, BOARD, 200),
        (Role.SUPPORT, BOARD, 200),
        (Role.REPORT_READER, BOARD, 403),
        (Role.ADMIN, USAGE, 200),
        (Role.ANALYST, USAGE, 403),
        (Role.SUPPORT, USAGE, 200),
        (Role.REPORT_READER, USAGE, 200),
    ],
)
def test_a_role_opens_its_own_pages_only(client, visit, role, url, status):
    client.force_login(make_staff(visit.organization, role))
    assert client.get(url).status_code == status


def test_the_board_shows_a_day_in_the_organizations_zone(staff, visit):
    today = timezone.now().date()
    assert "482200417" in staff.get(BOARD, {"day": visit.starts_at.date().isoformat()}).content.decode()
    assert (
        "No visits on this day" in staff.get(BOARD, {"day": (today + timedelta(days=9)).isoformat()}).content.decode()
    )
    assert staff.get(BOARD, {"day": "yesterday"}).status_code == 200


@pytest.mark.parametrize("text", ["482200417", " 482200417 "])
def test_searching_a_visit_id_leads_straight_to_the_visit(staff, visit, text):
    assert staff.get(SEARCH, {"q": text}).url == detail(visit)


@pytest.mark.parametrize("text", ["", "4822", "'; DROP TABLE", "x" * 500])
def test_searching_something_else_says_what_to_enter(staff, visit, text):
    answer = staff.get(SEARCH, {"q": text})
    assert answer.status_code == 200
    assert "number" in answer.content.decode()


@pytest.mark.parametrize("url", [BOARD])
def test_ten_more_visits_add_no_query(staff, visit, url):
    staff.get(url)
    with CaptureQueriesContext(connection) as one:
        staff.get(url)
    for number in range(10):
        make_visit(visit.endpoint, session_id=f"77{number}", starts_at=visit.starts_at)
    with CaptureQueriesContext(connection) as many:
        staff.get(url)
    assert len(many) == len(one)
