import pytest
from django.urls import reverse

from accounts.models import Role
from accounts.signals import staff_signed_in
from config_portal.models import Membership, TeamsTenant
from tests.factories import TENANT_ID, make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db
HOME, SETUP = reverse("portal:home"), reverse("portal:setup")


@pytest.fixture
def endpoint():
    return make_endpoint()


def test_a_visitor_is_sent_to_sign_in(client):
    answer = client.get(HOME)
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.ADMIN, "portal:setup"),
        (Role.ANALYST, "portal:setup"),
        (Role.SUPPORT, "visits:board"),
        (Role.REPORT_READER, "reports:usage"),
    ],
)
def test_everybody_begins_at_the_first_page_of_their_role(client, endpoint, role, first):
    client.force_login(make_staff(endpoint.organization, role))
    assert client.get(HOME).url == reverse(first)


def test_setup_is_for_administrators_and_analysts(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.SUPPORT))
    assert client.get(SETUP).status_code == 403


def test_somebody_without_a_role_is_told_whom_to_ask(client, endpoint):
    client.force_login(make_staff(endpoint.organization))
    answer = client.get(HOME)
    assert answer.status_code == 403
    assert "Microsoft 365 administrator" in answer.content.decode()


def test_a_role_taken_away_ends_at_the_next_request(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    assert client.get(SETUP).status_code == 200
    Membership.objects.all().delete()
    assert client.get(SETUP).status_code == 403


def test_a_person_of_two_organizations_switches_between_them(client, endpoint):
    other = make_organization(name="Tailspin Clinics")
    user = make_staff(endpoint.organization, Role.ADMIN)
    Membership.objects.create(organization=other, user=user, role=Role.ANALYST)
    client.force_login(user)
    client.post(reverse("portal:switch_organization"), {"organization": str(other.pk)})
    assert "Tailspin Clinics</title>" in client.get(SETUP).content.decode()


def test_nobody_switches_to_an_organization_that_is_not_theirs(client, endpoint):
    other = make_organization(name="Tailspin Clinics")
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    answer = client.post(reverse("portal:switch_organization"), {"organization": str(other.pk)})
    assert answer.status_code == 404


def test_signing_in_gives_exactly_the_roles_that_entra_says(endpoint):
    user = make_staff(endpoint.organization, Role.ADMIN, Role.SUPPORT)
    staff_signed_in.send(sender=type(user), user=user, roles={Role.REPORT_READER}, tenant_id=TENANT_ID)
    assert [membership.role for membership in Membership.objects.all()] == [Role.REPORT_READER]


def test_signing_in_from_another_tenant_gives_no_membership(endpoint):
    user = make_staff(endpoint.organization)
    TeamsTenant.objects.update(tenant_id="99999999-2222-4333-8444-555555555555")
    staff_signed_in.send(sender=type(user), user=user, roles={Role.ADMIN}, tenant_id=TENANT_ID)
    assert not Membership.objects.exists()
