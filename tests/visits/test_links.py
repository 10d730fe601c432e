import re

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import make_contact, make_endpoint, make_visit
from visits.models import JoinLink
from visits.services import links

pytestmark = pytest.mark.django_db


def test_a_link_carries_128_bits_and_leads_to_its_visit():
    contact = make_contact()
    link = links.ensure_link(contact)
    token = links.token_of(link)
    assert re.fullmatch(r"[\w-]{22}", token)
    assert links.find_link(token) == link
    assert links.url_of(link).endswith(f"/j/{token}")


def test_a_contact_has_one_open_link_however_often_it_is_texted():
    contact = make_contact()
    assert links.ensure_link(contact) == links.ensure_link(contact)
    assert JoinLink.objects.count() == 1


def test_the_token_is_nowhere_in_the_database():
    token = links.token_of(links.ensure_link(make_contact()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(l)::text FROM visits_joinlink l")
        stored = "".join(row[0] for row in cursor.fetchall())
    assert token not in stored


def test_another_token_finds_nothing():
    links.ensure_link(make_contact())
    assert links.find_link("A" * 22) is None


def test_an_ended_link_is_replaced_by_another_token():
    contact = make_contact()
    old = links.ensure_link(contact)
    links.end_links(contact.visit, ending=JoinLink.Ending.MOVED, now=timezone.now())
    new = links.ensure_link(contact)
    assert links.token_of(new) != links.token_of(old)
    assert not links.find_link(links.token_of(old)).is_open


def test_another_index_key_gives_other_tokens(settings):
    link = links.ensure_link(make_contact())
    before = links.token_of(link)
    settings.INDEX_KEY = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
    assert links.token_of(link) != before


def test_tokens_of_two_patients_differ():
    endpoint = make_endpoint()
    first = links.ensure_link(make_contact(make_visit(endpoint, session_id="1")))
    second = links.ensure_link(make_contact(make_visit(endpoint, session_id="2")))
    assert links.token_of(first) != links.token_of(second)
