import base64
import json

import pytest
from django.utils import timezone

from config_portal.models import Environment, SigningKey
from config_portal.services.keys import create_keys
from core.errors import InvalidMessage
from meetings.providers.teams.decrypt import open_content
from tests.factories import make_organization
from tests.meetings.graph import encrypt

pytestmark = pytest.mark.django_db
PAYLOAD = {"eventType": "callStarted"}


@pytest.fixture
def key() -> SigningKey:
    keys = create_keys(make_organization(), environment=Environment.TEST, now=timezone.now(), activate=True)
    return next(key for key in keys if key.purpose == SigningKey.Purpose.NOTIFICATION)


def sealed(key: SigningKey, payload: object = PAYLOAD) -> dict[str, str]:
    return encrypt(json.dumps(payload).encode(), certificate=key.certificate, key_id=key.key_id)


def opened(content: dict[str, str], key: SigningKey) -> dict[str, object]:
    return open_content(content, private_key=key.private_key, certificate=key.certificate)


def flipped(encoded: str) -> str:
    raw = bytearray(base64.b64decode(encoded))
    raw[-1] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def test_what_was_encrypted_for_our_certificate_is_read(key):
    assert opened(sealed(key), key) == PAYLOAD


def test_a_payload_of_many_blocks_is_read_whole(key):
    long = {"eventType": "rosterUpdated", "filler": "ñ" * 5000}
    assert opened(sealed(key, long), key) == long


def test_a_small_thumbprint_is_the_same_thumbprint(key):
    content = sealed(key)
    content["encryptionCertificateThumbprint"] = content["encryptionCertificateThumbprint"].lower()
    assert opened(content, key) == PAYLOAD


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("data", "notification.signature"),
        ("dataSignature", "notification.signature"),
        ("dataKey", "notification.data_key"),
    ],
)
def test_a_changed_bit_is_noticed(key, part, code):
    content = sealed(key)
    content[part] = flipped(content[part])
    with pytest.raises(InvalidMessage) as refused:
        opened(content, key)
    assert refused.value.code == code


@pytest.mark.parametrize("part", ["data", "dataSignature", "dataKey"])
def test_a_missing_part_is_unreadable(key, part):
    content = sealed(key)
    del content[part]
    with pytest.raises(InvalidMessage, match="unreadable"):
        opened(content, key)


def test_another_thumbprint_is_refused_before_anything_is_decrypted(key):
    content = {**sealed(key), "encryptionCertificateThumbprint": "00" * 20, "dataKey": "not even base64"}
    with pytest.raises(InvalidMessage, match=r"notification\.thumbprint"):
        opened(content, key)


@pytest.mark.parametrize("payload", [[1, 2], "text", None])
def test_a_payload_that_is_no_object_is_unreadable(key, payload):
    with pytest.raises(InvalidMessage, match="unreadable"):
        opened(sealed(key, payload), key)
