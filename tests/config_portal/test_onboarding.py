"""From nothing to an authorized organization: by request, by command, in Django admin."""

import json
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from config_portal.models import (
    AccessRequest,
    Environment,
    Membership,
    Organization,
    SigningKey,
    Subscription,
)
from config_portal.prerequisites import PREREQUISITES
from config_portal.services import onboarding
from config_portal.services.organizations import authorize_organization, record_subscription
from core.models import AuditEvent
from tests.factories import TENANT_ID, make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db
ASK, HOME = reverse("portal:request_access"), reverse("portal:home")


def typed(**values):
    return {
        "name": "Lamna Healthcare",
        "tenant_id": str(TENANT_ID),
        "region": "americas",
        "epic_contact_name": "Dana Ortiz",
        "epic_contact_email": "dana.ortiz@lamna.example.org",
        "prerequisites": [PREREQUISITES[0].key],
        **values,
    }


@pytest.fixture
def newcomer(client):
    """An administrator of a hospital that nobody knows yet."""
    user = User.objects.create(
        username="avery.reed@lamna.example.org",
        entra_tenant_id=TENANT_ID,
        entra_object_id=uuid.uuid4(),
        roles=["admin"],
    )
    client.force_login(user)
    return client


class TestRequest:
    """Asking for access in the portal."""

    def test_an_administrator_without_an_organization_is_led_to_the_form(self, newcomer):
        assert newcomer.get(HOME).url == ASK
        assert "Request access" in newcomer.get(ASK).content.decode()

    def test_accepting_opens_the_setup_without_signing_in_again(self, newcomer):
        newcomer.post(ASK, typed())
        assert "waits for the operator" in newcomer.get(ASK).content.decode()
        organization = onboarding.accept_request(AccessRequest.objects.get(), actor="operator", now=timezone.now())
        assert newcomer.get(HOME).url == reverse("portal:setup")
        assert organization.slug == "lamna-healthcare"
        assert organization.epic_contact_email == "dana.ortiz@lamna.example.org"
        assert list(organization.prerequisites) == [PREREQUISITES[0].key]
        assert organization.signing_keys.filter(environment="test").count() == 3
        assert not organization.signing_keys.filter(environment="production").exists()

    def test_asking_twice_is_asking_once(self, newcomer):
        newcomer.post(ASK, typed())
        newcomer.post(ASK, typed())
        assert AccessRequest.objects.count() == 1

    def test_the_operator_may_let_test_open_by_itself(self, newcomer, settings):
        settings.AUTHORIZE_TEST_AUTOMATICALLY = True
        newcomer.post(ASK, typed())
        organization = Organization.objects.get()
        assert organization.test_authorized_at
        assert organization.production_authorized_at is None

    def test_another_tenant_and_another_region_are_explained(self, newcomer):
        page = newcomer.post(ASK, typed(tenant_id=str(uuid.uuid4()))).content.decode()
        assert "signed in from another tenant" in page
        assert AccessRequest.objects.count() == 0

    def test_a_reason_is_shown_and_asking_again_possible(self, newcomer):
        newcomer.post(ASK, typed())
        onboarding.decline_request(
            AccessRequest.objects.get(), reason="Ask your region.", actor="operator", now=timezone.now()
        )
        page = newcomer.get(ASK).content.decode()
        assert "Ask your region." in page
        newcomer.post(ASK, typed())
        assert AccessRequest.objects.filter(state="waiting").count() == 1

    def test_somebody_who_is_no_administrator_may_not_ask(self, client):
        user = User.objects.create(username="kim", entra_tenant_id=TENANT_ID, roles=["support"])
        client.force_login(user)
        assert client.get(ASK).status_code == 403


class TestAuthorization:
    """Test first, then production with a subscription."""

    @pytest.fixture
    def organization(self):
        return make_organization(test_authorized_at=None, production_authorized_at=None)

    def authorize(self, environment, *arguments):
        call_command("authorize_organization", Organization.objects.get().slug, environment, *arguments)

    def test_production_needs_test_and_a_subscription(self, organization):
        with pytest.raises(CommandError, match="test first"):
            self.authorize("production")
        self.authorize("test")
        with pytest.raises(CommandError, match="needs a subscription"):
            self.authorize("production")
        self.authorize("production", "--subscription", "PO-2026-17")
        organization.refresh_from_db()
        assert organization.production_authorized_at
        assert Subscription.objects.get().reference == "PO-2026-17"
        assert {key.environment for key in SigningKey.objects.all()} == set(Environment.values)

    def test_a_subscription_that_is_over_opens_nothing(self, organization):
        yesterday = timezone.now().date() - timedelta(days=1)
        record_subscription(organization, reference="old", starts_on=yesterday, ends_on=yesterday, actor="operator")
        self.authorize("test")
        with pytest.raises(CommandError, match=r"organization\.no_subscription"):
            self.authorize("production")

    def test_a_dry_run_changes_nothing(self, organization, capsys):
        self.authorize("test", "--dry-run")
        organization.refresh_from_db()
        assert organization.test_authorized_at is None
        assert not SigningKey.objects.exists()
        assert not AuditEvent.objects.exists()
        assert "--dry-run" in capsys.readouterr().out

    def test_twice_makes_one_set_of_keys(self, organization):
        now = timezone.now()
        assert authorize_organization(organization, environment="test", actor="a", now=now)
        assert not authorize_organization(organization, environment="test", actor="a", now=now)
        assert SigningKey.objects.count() == 3


class TestCommands:
    """What onboarding staff type."""

    def create(self, *arguments):
        given = ("--name", "Lamna Healthcare", "--tenant-id", str(TENANT_ID))
        call_command("create_organization", "lamna", *given, *arguments)

    def test_staff_who_signed_in_before_get_their_roles(self):
        user = User.objects.create(username="avery", entra_tenant_id=TENANT_ID, roles=["admin", "support"])
        self.create()
        assert {membership.role for membership in Membership.objects.filter(user=user)} == {"admin", "support"}

    def test_a_name_twice_and_a_foreign_region_are_refused(self):
        self.create()
        with pytest.raises(CommandError, match=r"organization\.slug_taken"):
            self.create()
        with pytest.raises(CommandError, match=r"organization\.wrong_region"):
            call_command(
                "create_organization", "emea", "--name", "E", "--tenant-id", str(TENANT_ID), "--region", "emea"
            )

    def test_the_list_is_for_people_and_for_scripts(self, capsys):
        make_endpoint()
        call_command("list_organizations")
        assert "lamna-1" in capsys.readouterr().out
        call_command("list_organizations", "--json")
        (row,) = json.loads(capsys.readouterr().out)
        assert (row["addresses"], row["approved"]) == (1, 1)

    def test_an_unknown_organization_is_answered_with_those_that_exist(self):
        make_organization(slug="lamna")
        with pytest.raises(CommandError, match="Known: lamna"):
            call_command("rotate_keys", "tailspin", "test")


class TestAdmin:
    """The same in Django admin."""

    @pytest.fixture
    def operator(self, client):
        client.force_login(User.objects.create_superuser("operator", password="a long enough password"))
        return client

    @pytest.fixture
    def asked(self, newcomer):
        return AccessRequest.objects.create(
            requested_by=User.objects.get(username__startswith="avery"), name="Lamna", tenant_id=TENANT_ID,
            region="americas", epic_contact_name="Dana", epic_contact_email="dana@lamna.example.org",
        )  # fmt: skip

    def act(self, client, model, action, *rows, **more):
        url = reverse(f"admin:config_portal_{model}_changelist")
        form = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
        return client.post(url, form, follow=True)

    def test_a_request_is_declined_with_a_reason_that_who_asked_reads(self, asked, operator):
        page = self.act(operator, "accessrequest", "decline", asked).content.decode()
        assert "write the reason" in page
        asked.refresh_from_db()
        assert asked.state == AccessRequest.State.WAITING
        self.act(operator, "accessrequest", "decline", asked, reason="Your region has its own installation.")
        browser = Client()
        browser.force_login(asked.requested_by)
        page = browser.get(reverse("portal:request_access")).content.decode()
        assert "The request of Lamna was declined" in page
        assert "Your region has its own installation." in page

    def test_a_request_is_accepted(self, asked, operator):
        assert "done" in self.act(operator, "accessrequest", "accept", asked).content.decode()
        assert Organization.objects.get().test_authorized_at
        assert "accepted already" in self.act(operator, "accessrequest", "accept", asked).content.decode()

    def test_an_organization_is_created_and_authorized(self, operator):
        url = reverse("admin:config_portal_organization_add")
        operator.post(
            url,
            {"slug": "lamna", "name": "Lamna", "country": "US", "time_zone": "UTC", "tenant_id": str(TENANT_ID)},
        )
        organization = Organization.objects.get(slug="lamna")
        page = self.act(operator, "organization", "authorize_for_production", organization).content.decode()
        assert "Authorize the organization for test first" in page
        self.act(operator, "organization", "authorize_for_test", organization)
        operator.post(
            reverse("admin:config_portal_subscription_add"),
            {"organization": str(organization.pk), "reference": "PO-1", "starts_on": "2026-01-01", "ends_on": ""},
        )
        self.act(operator, "organization", "authorize_for_production", organization)
        organization.refresh_from_db()
        assert organization.production_authorized_at
        assert AuditEvent.objects.filter(action="subscription.recorded", actor="operator").exists()


class TestOwnPage:
    """What an organization says about itself."""

    URL = reverse("portal:organization_save")

    def values(self, **values):
        return {
            "name": "Lamna Healthcare",
            "country": "us",
            "time_zone": "America/Chicago",
            "help_phone": "(608) 555-0110",
            "epic_contact_name": "Dana",
            "epic_contact_email": "dana@lamna.example.org",
            "prerequisites": [item.key for item in PREREQUISITES],
            **values,
        }

    def test_each_confirmation_names_who_and_when(self, client):
        organization = make_organization()
        client.force_login(make_staff(organization, Role.ADMIN))
        assert client.post(self.URL, self.values()).url == reverse("portal:setup")
        organization.refresh_from_db()
        assert organization.prerequisites["epic_analyst"]["by"] == "avery.reed@lamna.example.org"
        assert organization.country == "US"
        client.post(self.URL, self.values(prerequisites=[]))
        organization.refresh_from_db()
        assert organization.prerequisites == {}
        assert AuditEvent.objects.filter(action="organization.changed").count() == 2

    @pytest.mark.parametrize(
        ("values", "words"),
        [({"help_phone": "call us"}, "Enter a phone number"), ({"country": "XX"}, "two letters of a country")],
    )
    def test_what_cannot_be_is_explained_and_kept(self, client, values, words):
        client.force_login(make_staff(make_organization(), Role.ADMIN))
        page = client.post(self.URL, self.values(**values)).content.decode()
        assert words in page
        assert next(iter(values.values())) in page
