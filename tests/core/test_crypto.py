import base64
import hmac

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from core import crypto
from tests.factories import make_contact, make_endpoint, make_visit
from visits.models import PatientContact

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()


def test_what_was_sealed_opens_again_in_the_same_place():
    sealed = crypto.encrypt(b"+16085550177", context="visits.patientcontact.phone|1")
    assert b"5550177" not in sealed
    assert crypto.decrypt(sealed, context="visits.patientcontact.phone|1") == b"+16085550177"


def test_two_seals_of_the_same_text_differ():
    assert crypto.encrypt(b"same", context="row") != crypto.encrypt(b"same", context="row")


def test_texts_sealed_together_open_each_in_its_own_place_and_share_no_nonce():
    items = [(f"text {number}".encode(), f"row|{number}") for number in range(5)]
    sealed = crypto.encrypt_all(items)

    assert [crypto.decrypt(one, context=context) for one, (_, context) in zip(sealed, items, strict=True)] == [
        plaintext for plaintext, _ in items
    ]
    start = 2 + len(crypto.primary_key_id())
    assert len({one[start : start + 12] for one in sealed}) == len(items)
    assert crypto.encrypt_all([]) == []


@pytest.mark.parametrize("position", [0, 5, -1])
def test_an_altered_ciphertext_does_not_open(position):
    sealed = bytearray(crypto.encrypt(b"text", context="row"))
    sealed[position] ^= 1
    with pytest.raises(crypto.DecryptionError):
        crypto.decrypt(bytes(sealed), context="row")


def test_an_old_key_still_opens_and_the_newest_seals(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = crypto.encrypt(b"text", context="row")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert crypto.decrypt(sealed, context="row") == b"text"
    assert crypto.key_id_of(crypto.encrypt(b"text", context="row")) == "new"


def test_a_removed_key_is_named(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = crypto.encrypt(b"text", context="row")
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(crypto.DecryptionError, match="old"):
        crypto.decrypt(sealed, context="row")


@pytest.mark.parametrize("entry", ["", "k1", "k1:short", "k1:" + base64.b64encode(b"x" * 31).decode(), ":" + NEW])
def test_a_malformed_key_is_refused(entry):
    with pytest.raises(ImproperlyConfigured):
        crypto.parse_keys([entry])


def test_indexes_of_different_purposes_cannot_be_joined():
    assert crypto.index("482200417", purpose="a") == crypto.index("482200417", purpose="a")
    assert crypto.index("482200417", purpose="a") != crypto.index("482200417", purpose="b")


def test_an_index_is_the_hmac_of_purpose_and_value(settings):
    settings.INDEX_KEY = base64.b64encode(b"i" * 32).decode()
    expected = hmac.new(b"i" * 32, b"visit.session:1\x00482200417", "sha256").hexdigest()

    assert [crypto.index("482200417", purpose="visit.session:1") for _ in range(2)] == [expected] * 2
    settings.INDEX_KEY = base64.b64encode(b"j" * 32).decode()
    assert crypto.index("482200417", purpose="visit.session:1") != expected


@pytest.mark.django_db
def test_the_column_holds_ciphertext_and_the_attribute_text():
    contact = make_contact()
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM visits_patientcontact WHERE id = %s", [contact.pk])
        (stored,) = cursor.fetchone()
    assert b"5550177" not in bytes(stored)
    assert PatientContact.objects.get(pk=contact.pk).phone == "+16085550177"


@pytest.mark.django_db
def test_a_deferred_column_is_read_when_asked_for():
    contact = make_contact()
    assert PatientContact.objects.defer("phone").get(pk=contact.pk).phone == "+16085550177"


@pytest.mark.django_db
def test_swapped_ciphertexts_do_not_give_another_patients_number():
    endpoint = make_endpoint()
    first = make_contact(make_visit(endpoint, session_id="1"))
    second = make_contact(make_visit(endpoint, session_id="2"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE visits_patientcontact a SET phone = b.phone FROM visits_patientcontact b"
            " WHERE a.id IN (%(one)s, %(two)s) AND b.id IN (%(one)s, %(two)s) AND a.id <> b.id",
            {"one": first.pk, "two": second.pk},
        )
    with pytest.raises(crypto.DecryptionError):
        _ = PatientContact.objects.get(pk=first.pk).phone
