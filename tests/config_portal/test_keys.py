import json
import uuid

import jwt
import pytest
from cryptography import x509
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from config_portal.models import SigningKey
from config_portal.services import keys
from core.errors import ConfigurationError
from tests.factories import make_endpoint, make_organization

pytestmark = pytest.mark.django_db
Purpose = SigningKey.Purpose


@pytest.fixture
def endpoint():
    return make_endpoint()


def test_an_endpoint_publishes_one_key_for_each_algorithm(client, endpoint):
    answer = client.get(reverse("portal:jwks", args=[endpoint.launch_id]))
    published = answer.json()["keys"]
    assert [key["alg"] for key in published] == ["RS384", "ES384"]
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_nothing_private_is_published(client, endpoint):
    text = client.get(reverse("portal:jwks", args=[endpoint.launch_id])).content.decode()
    private = {"d", "p", "q", "dp", "dq", "qi"}
    assert all(not private & set(key) for key in json.loads(text)["keys"])


@pytest.mark.parametrize("purpose", [Purpose.SMART_RS384, Purpose.SMART_ES384])
def test_what_we_sign_the_published_key_verifies(client, endpoint, purpose):
    key = keys.client_key(endpoint, purpose=purpose)
    signed = jwt.encode({"iss": "app"}, key.private_key, key.algorithm, headers={"kid": key.key_id})
    published = client.get(reverse("portal:jwks", args=[endpoint.launch_id])).json()
    found = jwt.PyJWKSet.from_dict(published)[key.key_id]
    assert jwt.decode(signed, found.key, algorithms=[key.algorithm]) == {"iss": "app"}


def test_an_unknown_endpoint_has_no_keys(client):
    assert client.get(reverse("portal:jwks", args=[uuid.uuid4()])).status_code == 404


def test_a_published_key_is_not_used_and_a_retired_one_not_published(endpoint):
    published = keys.create_keys(endpoint.organization, environment="test", now=timezone.now(), activate=False)
    assert len(keys.public_keys(endpoint)["keys"]) == 4
    assert keys.client_key(endpoint).key_id not in {key.key_id for key in published}
    SigningKey.objects.filter(pk__in=[key.pk for key in published]).update(state=SigningKey.State.RETIRED)
    assert len(keys.public_keys(endpoint)["keys"]) == 2


def test_environments_do_not_share_keys(endpoint):
    production = make_endpoint(endpoint.organization, environment="production", name="lamna-main")
    ids = [{key["kid"] for key in keys.public_keys(one)["keys"]} for one in (endpoint, production)]
    assert not ids[0] & ids[1]


def test_an_organization_without_keys_is_told_what_to_do():
    with pytest.raises(ConfigurationError, match=r"keys\.missing"):
        keys.active_key(make_organization(), environment="test", purpose=Purpose.NOTIFICATION)


def test_private_keys_are_ciphertext_in_the_database(endpoint):
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM config_portal_signingkey")
        assert all(b"PRIVATE KEY" not in bytes(row[0]) for row in cursor.fetchall())


def test_the_notification_certificate_carries_its_keys_public_half(endpoint):
    key = keys.active_key(endpoint.organization, environment="test", purpose=Purpose.NOTIFICATION)
    certificate = x509.load_pem_x509_certificate(key.certificate.encode())
    assert certificate.public_key().key_size == keys.RSA_BITS
