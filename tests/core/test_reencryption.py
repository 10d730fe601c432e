import base64
import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from core import reencryption
from core.crypto import DecryptionError
from tests.factories import make_visit
from visits.models import PatientContact

pytestmark = pytest.mark.django_db(transaction=True)
NEW = f"k2:{base64.b64encode(b'n' * 32).decode()}"


def numbers():
    return [contact.phone for contact in PatientContact.objects.order_by("phone_index")]


def make_contacts(count):
    visit = make_visit()
    visit.contacts.all().delete()
    PatientContact.objects.bulk_create(
        PatientContact(
            visit=visit, phone=f"+1608{n:07d}", phone_index=f"{n:07d}", person_index=str(n), purge_at=timezone.now()
        )
        for n in range(count)
    )
    return [f"+1608{n:07d}" for n in range(count)]


def rotate_under_load(settings, *, count):
    """Rotate while others read and write; return what went wrong for them."""
    wanted = make_contacts(count)
    settings.ENCRYPTION_KEYS = [NEW, *settings.ENCRYPTION_KEYS]
    stopping, problems = threading.Event(), []

    def work():
        try:
            while not stopping.is_set():
                for contact in PatientContact.objects.order_by("?")[:20]:
                    if contact.phone not in wanted:
                        problems.append(contact.phone)
                    contact.save(update_fields=["phone"])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure under load
            problems.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    reencryption.reencrypt()
    stopping.set()
    for worker in workers:
        worker.join()
    reencryption.reencrypt()  # rows that were being worked on
    assert problems == []
    assert set(reencryption.keys_in_use()) == {"k2"}
    settings.ENCRYPTION_KEYS = [NEW]  # the old key is thrown away
    assert numbers() == wanted


def test_keys_are_rotated_under_load_and_the_old_one_is_not_needed_any_more(settings):
    rotate_under_load(settings, count=600)


@pytest.mark.chaos
def test_keys_of_ten_thousand_rows_are_rotated_under_load(settings):
    rotate_under_load(settings, count=10_000)


def test_a_key_that_is_gone_too_early_is_named(settings):
    make_contacts(1)
    settings.ENCRYPTION_KEYS = [NEW]
    assert "k1" in reencryption.keys_in_use()
    with pytest.raises(DecryptionError, match="k1"):
        reencryption.reencrypt()


def test_the_command_says_what_is_left(settings):
    make_contacts(3)
    settings.ENCRYPTION_KEYS = [NEW, *settings.ENCRYPTION_KEYS]
    out = StringIO()
    call_command("reencrypt", stdout=out)
    assert "k2" in out.getvalue()
    assert "k1" not in out.getvalue()
