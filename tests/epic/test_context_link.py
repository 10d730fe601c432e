import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigurationError, LaunchRefused
from epic.context_link import IvPlace, KeyForm, LinkSecret, derive_key, open_link

VECTORS = json.loads((Path(__file__).parent / "context_link_vectors.json").read_text())
WRITTEN = datetime(2026, 9, 21, 18, 55, tzinfo=UTC)
EXPECTED = {
    "sessionid": "482200417",
    "conferenceid": "1853",
    "userid": "AOKAFOR",
    "role": "provider",
    "ts": "20260921185500",
}


def secret_of(vector, **values):
    form, iv = KeyForm(vector["key_type"]), IvPlace(vector["iv"])
    return LinkSecret(**{"key": vector["key_setting"], "form": form, "iv": iv, **values})


def code_of(data, secret, *, now=WRITTEN):
    with pytest.raises(LaunchRefused) as refused:
        open_link(data, secret, now=now)
    return refused.value.code, refused.value.user_message, refused.value.detail


ONE_ERROR = ("launch.link_unreadable", "Epic's link could not be read.", "")


def seal(plain, vector):
    key = derive_key(vector["key_setting"], KeyForm(vector["key_type"]))
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    prefix = bytes(16) if vector["iv"] == "prepended" else b""
    return base64.b64encode(prefix + sealed).decode()


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
@pytest.mark.parametrize("written", [str, unquote], ids=["url-encoded", "decoded"])
def test_every_known_scheme_is_read(vector, written):
    fields = open_link(written(vector["data"]), secret_of(vector), now=WRITTEN + timedelta(days=365))
    assert fields == EXPECTED


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_key_of_one_scheme_opens_no_other(vector):
    for other in VECTORS["vectors"]:
        if other is not vector:
            assert code_of(vector["data"], secret_of(other)) == ONE_ERROR


@pytest.mark.parametrize(("seconds", "is_good"), [(0, True), (300, True), (301, False), (-60, True), (-61, False)])
def test_a_link_has_an_age(seconds, is_good):
    vector = VECTORS["vectors"][0]
    secret, now = secret_of(vector, longest_age=timedelta(minutes=5)), WRITTEN + timedelta(seconds=seconds)
    if is_good:
        assert open_link(vector["data"], secret, now=now) == EXPECTED
    else:
        assert code_of(vector["data"], secret, now=now) == ONE_ERROR


@pytest.mark.parametrize(
    "plain", [b"sessionId=1", b"sessionId=1&ts=yesterday", b"nothing", b"", b"\xff\xfe=1", b"a=1&A=2&ts=20260921185500"]
)
def test_what_is_inside_must_be_fields_with_a_time(plain):
    vector = VECTORS["vectors"][0]
    assert code_of(seal(plain, vector), secret_of(vector, longest_age=timedelta(minutes=5))) == ONE_ERROR


@pytest.mark.parametrize("data", ["", "AAAA", "not base64!", "=" * 8, "%00", "A" * 9000, "QUJD\n", "AAAA AAAA"])
def test_rubbish_is_one_error(data):
    assert code_of(data, secret_of(VECTORS["vectors"][1])) == ONE_ERROR


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_open_or_be_refused(data):
    for vector in VECTORS["vectors"]:
        with contextlib.suppress(LaunchRefused):
            assert isinstance(open_link(base64.b64encode(data).decode(), secret_of(vector), now=WRITTEN), dict)


@pytest.mark.parametrize(
    ("form", "key"), [(KeyForm.BASE64_32, "c2hvcnQ="), (KeyForm.BASE64_32, "no base64"), (KeyForm.RAW_16, "short")]
)
def test_a_key_of_the_wrong_length_is_for_an_administrator_to_repair(form, key):
    with pytest.raises(ConfigurationError) as refused:
        open_link("AAAA", LinkSecret(key=key, form=form, iv=IvPlace.ZERO), now=WRITTEN)
    assert refused.value.code == "epic.link_key"


def test_the_key_is_in_no_representation():
    assert "LamnaSharedKey01" not in repr(secret_of(VECTORS["vectors"][1]))
