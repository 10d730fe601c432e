"""Keys rotate without a moment in which Epic refuses us."""

from dataclasses import replace
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
from tests.factories import SMART, approve, make_endpoint, make_staff
from tests.scripts import Script

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


# --- Tried before they are used -------------------------------------------------------------------
TOKEN = {"access_token": "canary-token", "token_type": "Bearer", "expires_in": 300}


@pytest.fixture
def admin(client, organization):
    client.force_login(make_staff(organization, Role.ADMIN))
    return client


@pytest.fixture
def at_epic(epic, endpoint):
    """Let the endpoint's draft and what runs be at an Epic of the tests' own."""
    smart = replace(SMART, token_endpoint=f"{epic.url}/oauth2/token")
    approve(endpoint, smart=smart)
    return epic


def press(admin):
    return admin.post(reverse("portal:keys_try", args=["test"]), follow=True).content.decode()


def test_new_keys_that_epic_accepts_are_switched_to_at_once(at_epic, admin, endpoint, organization):
    at_epic.answers("/oauth2/token", TOKEN)
    old = keys.client_key(endpoint).key_id
    start(organization)
    assert "Try the new keys at Epic" in admin.get(reverse("portal:keys")).content.decode()
    page = press(admin)
    assert f"{endpoint.name}: Epic accepts the new keys." in page
    assert "Epic has accepted the new keys" in page
    assert "canary-token" not in page
    tried = {_key_of(call) for call in at_epic.calls("/oauth2/token")}
    assert tried == set(SigningKey.objects.filter(state="published").exclude(purpose="notification")
                        .values_list("key_id", flat=True))  # fmt: skip
    assert keys.client_key(endpoint).key_id == old  # what runs is untouched until the switch
    assert rotation.advance_rotations(now=NOW + timedelta(minutes=1)) == 1
    assert AuditEvent.objects.get(action="keys.tried").actor == "avery.reed@lamna.example.org"


def test_new_keys_that_epic_does_not_know_yet_change_nothing(at_epic, admin, endpoint, organization):
    at_epic.answers("/oauth2/token", {"error": "invalid_client"}, status=400)
    start(organization)
    page = press(admin)
    assert "does not accept the new key for ES384 and RS384 yet" in page
    assert not SigningKey.objects.filter(state="published").exclude(confirmed_at=None).exists()
    assert rotation.advance_rotations(now=NOW + timedelta(minutes=1)) == 0


def test_an_epic_that_is_away_confirms_nothing_for_the_others(at_epic, admin, endpoint, organization):
    at_epic.answers("/oauth2/token", TOKEN)
    away = make_endpoint(organization, name="lamna-away", base_url="http://127.0.0.1:9/api/FHIR/R4", approved=False)
    approve(away, smart=replace(SMART, token_endpoint="http://127.0.0.1:9/oauth2/token"))
    start(organization)
    page = press(admin)
    assert f"{endpoint.name}: Epic accepts the new keys." in page
    assert "lamna-away: the new keys could not be tried." in page
    assert not SigningKey.objects.filter(state="published").exclude(confirmed_at=None).exists()


def test_without_new_keys_there_is_nothing_to_try(admin, organization):
    assert "There are no new keys to try" in press(admin)
    assert admin.post(reverse("portal:keys_try", args=["moon"])).status_code == 404


def test_a_script_tries_them_too(at_epic, endpoint, organization):
    at_epic.answers("/oauth2/token", TOKEN)
    start(organization)
    (trial,) = Script(organization)("POST", "api:keys_try", "test").json()
    assert (trial["name"], trial["is_accepted"], trial["accepted"]) == (endpoint.name, True, ["ES384", "RS384"])


def _key_of(call):
    return jwt.get_unverified_header(call.form["client_assertion"])["kid"]
