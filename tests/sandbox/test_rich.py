import base64
import json

import pytest

from sandbox.graph import rich
from tests.sandbox.subscriber import Subscriber


def test_a_subscriber_reads_what_was_encrypted_for_it(subscriber):
    plain = {"eventType": "rosterUpdated", "name": "Zoë"}

    content = rich.encrypt(json.dumps(plain).encode(), certificate=subscriber.certificate, certificate_id="c1")

    assert subscriber.read(content) == plain
    assert content["encryptionCertificateId"] == "c1"
    assert content["encryptionCertificateThumbprint"] == subscriber.thumbprint


def test_each_notification_has_a_key_of_its_own(subscriber):
    first, second = (rich.encrypt(b"{}", certificate=subscriber.certificate, certificate_id="c1") for _ in range(2))

    assert first["data"] != second["data"]


def test_another_subscriber_cannot_read_it(subscriber):
    content = rich.encrypt(b"{}", certificate=subscriber.certificate, certificate_id="c1")

    with pytest.raises(ValueError, match=r"[Dd]ecryption|Encryption"):
        Subscriber().read(content)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="2048"):
        rich.load_certificate(Subscriber(bits=1024).certificate)


@pytest.mark.parametrize("text", ["", "not base64 at all", base64.b64encode(b"not a certificate").decode()])
def test_what_is_no_certificate_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the library words it
        rich.load_certificate(text)
