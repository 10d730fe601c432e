import base64

import pytest
from twilio.request_validator import RequestValidator

from sandbox.sms import signatures


@pytest.mark.parametrize(
    "url",
    [
        "https://visits.lamna.example.org/webhooks/twilio/status/1",
        "https://visits.lamna.example.org/webhooks/twilio/status/1?key=a%20b&x=1",
        "http://localhost:8000/webhooks/twilio/incoming",
    ],
)
def test_twilios_own_validator_accepts_our_signature(url):
    fields = {"To": "+16085550177", "Body": "Sí, gracias & adiós", "MessageSid": "SM1", "Empty": ""}

    signature = signatures.twilio("token", url=url, fields=fields)

    validator = RequestValidator("token")
    assert validator.validate(url, fields, signature)
    assert not validator.validate(url, {**fields, "Body": "no"}, signature)
    assert not RequestValidator("other").validate(url, fields, signature)


def test_an_acs_signature_covers_verb_path_date_host_and_body():
    key = base64.b64encode(b"k" * 32).decode()
    parts = {
        "method": "POST",
        "path_and_query": "/sms?api-version=2026-01-23",
        "date": "Tue, 24 Nov 2026 14:00:00 GMT",
        "host": "127.0.0.1:8100",
        "digest": signatures.content_hash(b"{}"),
    }
    signature = signatures.acs(key, **parts)

    # Computed once with openssl: printf 'POST\n…' | openssl dgst -sha256 -mac HMAC -macopt hexkey:6b… -binary | base64
    assert signature == "0uVCJv3vZn2e4kq4FUi8kqWMoLZfcYd3chuwfwX5D2Q="
    for name in parts:
        assert signatures.acs(key, **{**parts, name: "other"}) != signature
