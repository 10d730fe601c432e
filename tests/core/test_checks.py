import pytest

from core import checks


def ids(found):
    return [message.id for message in found]


def test_the_configuration_of_the_tests_is_sound():
    assert checks.keys_are_usable() == checks.public_address_is_https() == checks.outbound_policy_is_narrow() == []


@pytest.mark.parametrize("keys", [[], ["k1:short"]])
def test_unusable_keys_are_an_error(settings, keys):
    settings.ENCRYPTION_KEYS = keys
    assert ids(checks.keys_are_usable()) == ["core.E001"]


def test_a_short_index_key_is_an_error(settings):
    settings.INDEX_KEY = "YQ=="
    assert ids(checks.keys_are_usable()) == ["core.E001"]


def test_a_public_address_without_tls_is_an_error(settings):
    settings.PUBLIC_URL = "http://visits.lamna.example.org"
    assert ids(checks.public_address_is_https()) == ["core.E002"]


def test_a_network_that_is_none_is_an_error(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = ["everything"]
    assert ids(checks.outbound_policy_is_narrow()) == ["core.E003"]


def test_plain_http_beyond_loopback_is_an_error(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "10.0.0.0/8"]
    settings.OUTBOUND_ALLOW_HTTP = True
    assert ids(checks.outbound_policy_is_narrow()) == ["core.E004"]


def test_production_without_secrets_or_certificate_is_named(settings):
    settings.SECRET_KEY = "short"
    settings.MLLP_TLS_CERTIFICATE_PATH = ""
    assert ids(checks.secrets_are_long()) == ["core.E005", "core.W001"]
