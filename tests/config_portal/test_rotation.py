"""Keys rotate without a moment in which Epic refuses us."""

from datetime import timedelta

import jwt
import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from config_portal.models import SigningKey
from config_portal.services import keys, rotation
from core.errors import ConfigurationError
from core.models import AuditEvent
from tests.factories import make_endpoint, make_staff

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def organization(endpoint):
    return endpoint.organization


def start(organization, now=NOW):
    rotation.start_rotation(organization, environment="test", actor="kim", now=now)
    SigningKey.objects.filter(state="published").update(created_at=now)


def published(endpoint):
    return {key["kid"] for key in keys.public_keys(endpoint)["keys"]}


def test_publish_wait_switch_retire(endpoint, organization):
    old = keys.client_key(endpoint).key_id
    start(organization)
    assert len(published(endpoint)) == 4
    assert keys.client_key(endpoint).key_id == old

    assert rotation.advance_rotations(now=NOW + timedelta(hours=28, minutes=59)) == 0
    assert keys.client_key(endpoint).key_id == old

    switched_at = NOW + timedelta(hours=29)
    assert rotation.advance_rotations(now=switched_at) == 1
    assert keys.client_key(endpoint).key_id != old
    assert old in published(endpoint)

    rotation.advance_rotations(now=switched_at + timedelta(hours=23))
    assert old in published(endpoint)
    rotation.advance_rotations(now=switched_at + timedelta(hours=24))
    assert old not in published(endpoint)
    assert len(published(endpoint)) == 2


def test_a_key_that_epic_has_accepted_need_not_wait(endpoint, organization):
    start(organization)
    for key in SigningKey.objects.filter(state="published"):
        keys.confirm_key(key.key_id, now=NOW)
    assert rotation.advance_rotations(now=NOW + timedelta(minutes=1)) == 1


def test_at_every_moment_what_we_sign_is_published(endpoint, organization):
    start(organization)
    for hours in (0, 10, 29, 30, 52, 53, 54, 200):
        rotation.advance_rotations(now=NOW + timedelta(hours=hours))
        key = keys.client_key(endpoint)
        signed = jwt.encode({"iss": "app"}, key.private_key, key.algorithm, headers={"kid": key.key_id})
        found = jwt.PyJWKSet.from_dict(keys.public_keys(endpoint))[key.key_id]
        assert jwt.decode(signed, found.key, algorithms=[key.algorithm])


def test_starting_twice_publishes_once(organization):
    start(organization)
    start(organization)
    assert SigningKey.objects.filter(state="published").count() == 3


def test_switching_too_early_is_refused_unless_forced(organization):
    start(organization)
    early = {"environment": "test", "actor": "kim", "now": NOW + timedelta(hours=1)}
    with pytest.raises(ConfigurationError, match=r"keys\.too_early"):
        rotation.switch_keys(organization, **early)
    assert rotation.switch_keys(organization, **early, is_forced=True)


def test_a_key_for_teams_events_opens_them_as_long_as_a_subscription_may_last(organization):
    start(organization)
    rotation.advance_rotations(now=NOW + timedelta(hours=29))
    rotation.advance_rotations(now=NOW + timedelta(hours=29, days=3))
    assert SigningKey.objects.filter(purpose="notification", state="replaced").exists()
    rotation.advance_rotations(now=NOW + timedelta(hours=29, days=4))
    assert not SigningKey.objects.filter(purpose="notification", state="replaced").exists()


def test_the_other_environment_is_left_alone(organization):
    make_endpoint(organization, environment="production", base_url="https://p.example.org/api/FHIR/R4")
    before = set(SigningKey.objects.filter(environment="production").values_list("key_id", "state"))
    start(organization)
    rotation.advance_rotations(now=NOW + timedelta(days=9))
    assert set(SigningKey.objects.filter(environment="production").values_list("key_id", "state")) == before


def test_a_leaked_key_is_replaced_at_once_by_command(endpoint, organization, capsys):
    old = keys.client_key(endpoint).key_id
    call_command("rotate_keys", organization.slug, "test", "--compromised")
    assert old not in published(endpoint)
    assert "3 old ones are withdrawn" in capsys.readouterr().out


def test_the_page_shows_the_wait_and_the_stages(client, endpoint, organization):
    client.force_login(make_staff(organization, Role.ADMIN))
    page = client.get(reverse("portal:keys")).content.decode()
    assert "Epic may take until" in page
    client.post(reverse("portal:keys_rotate", args=["test"]))
    page = client.get(reverse("portal:keys")).content.decode()
    assert "Fetched by Epic" in page
    assert "at the latest" in page
    assert AuditEvent.objects.filter(action="keys.rotation_started").exists()
    assert client.post(reverse("portal:keys_rotate", args=["moon"])).status_code == 404


def test_only_the_public_half_is_downloaded(client, organization):
    client.force_login(make_staff(organization, Role.ANALYST))
    key = SigningKey.objects.filter(purpose="smart-rs384").get()
    answer = client.get(reverse("portal:certificate", args=[key.pk]))
    assert b"BEGIN CERTIFICATE" in answer.content
    assert b"PRIVATE" not in answer.content
    assert "test-smart-rs384.cer" in answer.headers["Content-Disposition"]


def test_keys_of_others_are_not_there(client, organization):
    client.force_login(make_staff(organization, Role.ADMIN))
    foreign = make_endpoint(base_url="https://other.example.org/api/FHIR/R4").organization.signing_keys.first()
    assert client.get(reverse("portal:certificate", args=[foreign.pk])).status_code == 404
