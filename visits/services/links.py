"""Join links: how a text message leads one patient, and nobody else, to one visit."""

import base64
import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core import crypto
from visits.models import JoinLink, PatientContact, Visit

_TOKEN_BYTES = 16
_INSERT = """
    INSERT INTO visits_joinlink (id, visit_id, contact_id, token_index, created_at, ending)
    SELECT id, visit_id, contact_id, token_index, %(now)s, ''
      FROM unnest(%(ids)s::uuid[], %(visits)s::uuid[], %(contacts)s::uuid[], %(indexes)s::text[])
           AS data(id, visit_id, contact_id, token_index)
        ON CONFLICT DO NOTHING
 RETURNING id
"""


def ensure_link(contact: PatientContact) -> JoinLink:
    """Return the open link of ``contact``, made if there is none."""
    return ensure_links([contact])[contact.pk]


def ensure_links(contacts: Collection[PatientContact]) -> dict[UUID, JoinLink]:
    """Return the open link of each of ``contacts`` by the contact's id, made where there is none."""
    links = _open_links(contacts)
    made = [_new_link(contact) for contact in contacts if contact.pk not in links]
    stored = _store(made)
    links |= {link.contact_id: link for link in made if link.pk in stored}
    if len(stored) < len(made):  # somebody else made one at the same moment
        links |= _open_links([link.contact for link in made if link.pk not in stored])
    return links


def token_of(link: JoinLink) -> str:
    """Return the 22 characters of ``link``: 128 bits that nobody can guess without our key."""
    return base64.urlsafe_b64encode(crypto.derive(f"join|{link.pk}")[:_TOKEN_BYTES]).decode().rstrip("=")


def url_of(link: JoinLink) -> str:
    """Return the address to text, such as ``https://visits.example.org/j/…``."""
    return f"{settings.PUBLIC_URL}/j/{token_of(link)}"


def find_link(token: str) -> JoinLink | None:
    """Return the link with this token, open or ended, or None."""
    links = JoinLink.objects.select_related("contact", "visit__endpoint__organization", "visit__organization")
    return links.filter(token_index=_index(token)).first()


def end_links(visit: Visit, *, ending: str, now: datetime) -> None:
    """Close every open link of ``visit``."""
    visit.join_links.filter(ended_at=None).update(ended_at=now, ending=ending)


def end_link_of(contact: PatientContact, *, ending: str, now: datetime) -> None:
    """Close the open link of ``contact``, if there is one."""
    contact.join_links.filter(ended_at=None).update(ended_at=now, ending=ending)


def _open_links(contacts: Collection[PatientContact]) -> dict[UUID, JoinLink]:
    links = JoinLink.objects.filter(contact_id__in=[contact.pk for contact in contacts], ended_at=None)
    return {link.contact_id: link for link in links}


def _store(links: Sequence[JoinLink]) -> set[UUID]:
    """Store ``links`` but for those whose contact has an open one by now, and return the ids of the stored ones.

    One statement: when thousands of texts are due, the ORM takes as long over their links as over everything else.
    """
    if not links:
        return set()
    values: dict[str, Any] = {
        "now": timezone.now(),
        "ids": [link.pk for link in links],
        "visits": [link.visit_id for link in links],
        "contacts": [link.contact_id for link in links],
        "indexes": [link.token_index for link in links],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return {row[0] for row in cursor.fetchall()}


def _new_link(contact: PatientContact) -> JoinLink:
    link = JoinLink(visit_id=contact.visit_id, contact=contact)
    link.token_index = _index(token_of(link))
    return link


def _index(token: str) -> str:
    # A plain hash suffices: the token has 128 random bits. The index key still keeps it out of reach.
    return crypto.index(hashlib.sha256(token.encode()).hexdigest(), purpose="join_link")
