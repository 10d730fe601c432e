"""The page Microsoft Teams: a draft, a certificate that Entra must accept, filled-in cmdlets, warnings in time."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal.models import TeamsTenant
from config_portal.services.setup import progress_of
from core.errors import ConfigurationError, UpstreamUnavailable
from core.models import AuditEvent
from meetings.providers.teams import token
from meetings.services import tenant as service
from meetings.services.suppliers import approved_teams, teams_connection
from tests.epic.peer import Peer
from tests.factories import ORGANIZER_ID, TENANT_ID, make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = reverse("teams:settings")
APP = "22222222-0000-4000-8000-000000000001"
TOKEN = f"/{TENANT_ID}/oauth2/v2.0/token"


@pytest.fixture
def entra(settings):
    peer = Peer()
    settings.ENTRA_BASE_URL = peer.url
    peer.answers(TOKEN, {"access_token": "token", "expires_in": 3599, "token_type": "Bearer"})
    yield peer
    peer.close()
    token.forget_all()


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def tenant(organization):
    return organization.teams_tenant


@pytest.fixture
def admin(client, organization):
    client.force_login(make_staff(organization, Role.ADMIN))
    return client


def act(client, name):
    return client.post(reverse("teams:certificate"), {"act": name}, follow=True).content.decode()


def typed(**values):
    return {
        "client_id": APP,
        "organizer_mode": "service",
        "organizer_object_id": str(ORGANIZER_ID),
        "lobby_scope": "organizer",
        "allowed_presenters": "organizer",
        "meeting_chat": "disabled",
        **values,
    }


def test_options_are_a_draft_until_they_are_approved(admin, organization):
    endpoint = make_endpoint(organization)
    admin.post(reverse("teams:save"), typed())
    endpoint.organization.refresh_from_db()
    assert TeamsTenant.objects.get().lobby_scope == "organizer"
    assert approved_teams(endpoint).options.lobby_scope == "organizationExcludingGuests"
    change = AuditEvent.objects.get(action="teams.changed").data
    assert change["meeting_chat"] == {"was": "limited", "now": "disabled"}


def test_the_cmdlets_are_filled_in(admin):
    admin.post(reverse("teams:save"), typed())
    page = admin.get(PAGE).content.decode()
    assert f"-AppIds &quot;{APP}&quot;" in page
    grant = "Grant-CsApplicationAccessPolicy -PolicyName EHR-Connector-Virtual-Visits"
    assert f"{grant} -Identity &quot;{ORGANIZER_ID}&quot;" in page
    admin.post(reverse("teams:save"), typed(organizer_mode="first_provider"))
    assert f"{grant} -Global" in admin.get(PAGE).content.decode()


def test_a_certificate_is_used_only_after_entra_accepted_it(admin, tenant, entra):
    assert "waits to be registered" in act(admin, "make")
    tenant.refresh_from_db()
    waiting = tenant.next_certificate
    assert tenant.certificate == ""
    entra.replace(TOKEN, {"error": "invalid_client"}, status=401)
    assert "does not accept" in act(admin, "use")
    tenant.refresh_from_db()
    assert (tenant.certificate, tenant.next_certificate) == ("", waiting)
    entra.replace(TOKEN, {"access_token": "token", "expires_in": 3599})
    assert "used from now on" in act(admin, "use")
    tenant.refresh_from_db()
    assert (tenant.certificate, tenant.next_certificate) == (waiting, "")
    assert "client_assertion" in entra.calls(TOKEN)[-1].form
    assert teams_connection(tenant).certificate.certificate == waiting


def test_the_download_is_the_public_half_alone(admin, entra):
    act(admin, "make")
    answer = admin.get(reverse("teams:download"))
    assert x509.load_pem_x509_certificate(answer.content)
    assert b"PRIVATE" not in answer.content
    assert "ehr-connector-graph.cer" in answer.headers["Content-Disposition"]


def test_making_twice_keeps_the_first(admin, tenant, entra):
    act(admin, "make")
    tenant.refresh_from_db()
    first = tenant.next_certificate
    act(admin, "make")
    tenant.refresh_from_db()
    assert tenant.next_certificate == first


def test_a_discarded_certificate_is_gone_with_its_key(admin, tenant, entra):
    act(admin, "make")
    act(admin, "discard")
    tenant.refresh_from_db()
    assert (tenant.next_certificate, tenant.next_certificate_key) == ("", None)
    with pytest.raises(ConfigurationError, match=r"teams\.no_certificate"):
        service.use_certificate(tenant, actor="kim")


def test_keys_and_secrets_are_ciphertext_in_the_database(admin, tenant, entra):
    act(admin, "make")
    with connection.cursor() as cursor:
        cursor.execute("SELECT next_certificate_key, client_secret FROM config_portal_teamstenant")
        key, secret = cursor.fetchone()
    assert b"PRIVATE KEY" not in bytes(key)
    assert b"s3cret" not in bytes(secret)


def test_a_secret_is_tried_kept_and_never_shown(admin, tenant, entra):
    until = timezone.now().date() + timedelta(days=200)
    page = admin.post(
        reverse("teams:secret"), {"secret": "hush-hush~value", "expires_on": until.isoformat()}, follow=True
    ).content.decode()
    assert "hush-hush" not in page
    tenant.refresh_from_db()
    assert (tenant.client_secret, tenant.client_secret_expires_on) == ("hush-hush~value", until)
    assert entra.calls(TOKEN)[0].form["client_secret"] == "hush-hush~value"
    assert "hush" not in str(list(AuditEvent.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (APP, "the secret&#x27;s id"),
        ("-----BEGIN PRIVATE KEY-----MIIE", "certificate or private key"),
        ("", "Fill in"),
    ],
)
def test_what_is_pasted_instead_of_a_secret_is_named(admin, tenant, entra, secret, words):
    page = admin.post(reverse("teams:secret"), {"secret": secret, "expires_on": "2099-01-01"}).content.decode()
    assert words in page
    assert entra.received == []
    tenant.refresh_from_db()
    assert tenant.client_secret == "s3cret"


def test_a_secret_that_entra_refuses_replaces_nothing(admin, tenant, entra):
    entra.replace(TOKEN, {"error": "invalid_client"}, status=401)
    page = admin.post(reverse("teams:secret"), {"secret": "wrong~value", "expires_on": "2099-01-01"}).content.decode()
    assert "does not accept" in page
    tenant.refresh_from_db()
    assert tenant.client_secret == "s3cret"


def test_the_last_proof_is_not_removed(admin, tenant, entra):
    assert "Use a certificate first" in act(admin, "remove-secret")
    act(admin, "make")
    act(admin, "use")
    act(admin, "remove-secret")
    tenant.refresh_from_db()
    assert tenant.client_secret is None
    assert tenant.has_credential


def test_an_analyst_reads_and_changes_nothing(client, organization):
    client.force_login(make_staff(organization, Role.ANALYST))
    page = client.get(PAGE).content.decode()
    assert "Save as draft" not in page
    for name in ("save", "secret", "certificate"):
        assert client.post(reverse(f"teams:{name}"), typed()).status_code == 403


class TestExpiry:
    """Warnings 30 and 7 days ahead."""

    NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def expiring(self, tenant, days):
        tenant.certificate, tenant.certificate_key = "pem", "key"
        tenant.certificate_expires_at = self.NOW + timedelta(days=days)
        tenant.save()

    @pytest.mark.parametrize(("days", "warned"), [(31, []), (30, [30]), (8, [30]), (7, [7]), (0, [7])])
    def test_the_audit_trail_says_so_once(self, tenant, days, warned):
        self.expiring(tenant, days)
        service.warn_of_expiry(now=self.NOW)
        service.warn_of_expiry(now=self.NOW)
        events = AuditEvent.objects.filter(action="teams.credential_expires")
        assert [event.data["days"] for event in events] == warned

    def test_it_is_said_again_a_week_ahead(self, tenant):
        self.expiring(tenant, 30)
        assert service.warn_of_expiry(now=self.NOW) == 1
        assert service.warn_of_expiry(now=self.NOW + timedelta(days=10)) == 0
        assert service.warn_of_expiry(now=self.NOW + timedelta(days=23)) == 1

    @pytest.mark.parametrize(("days", "state"), [(31, "done"), (30, "needs_you")])
    def test_the_setup_page_asks_for_a_renewal(self, organization, tenant, days, state):
        self.expiring(tenant, days)
        rows = progress_of(organization, now=self.NOW).rows
        assert next(status.state for step, status in rows if step.name == "teams") == state


def test_an_unreachable_entra_changes_nothing(settings, tenant):
    settings.ENTRA_BASE_URL = "http://127.0.0.1:9"
    service.make_certificate(tenant, actor="kim", now=timezone.now())
    tenant.refresh_from_db()
    with pytest.raises(UpstreamUnavailable):
        service.use_certificate(tenant, actor="kim")
