"""Senders through the REST API: certificates with the page's refusals, silence, kept texts."""

import pytest

from core.models import AuditEvent
from hl7intake.models import RawRetention, SenderCertificate, SenderWatch
from tests.factories import make_endpoint
from tests.hl7intake.pki import DAY, make_identity
from tests.scripts import Script

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def call(endpoint):
    return Script(endpoint.organization)


@pytest.fixture(scope="module")
def engine():
    return make_identity()


def test_a_certificate_is_looked_at_added_listed_and_revoked(call, endpoint, engine):
    data = {"text": engine.pem.decode()}
    seen = call("POST", "hl7_api:certificate_check", data=data).json()
    assert not SenderCertificate.objects.exists()
    added = call("POST", "hl7_api:certificates", endpoint.pk, data=data)
    assert (added.status_code, added.json()["fingerprint"]) == (201, seen["fingerprint"])
    assert added.json()["added_by"] == "api:backup"
    twice = call("POST", "hl7_api:certificates", endpoint.pk, data=data)
    assert (twice.status_code, twice.json()["code"]) == (422, "certificate.in_use")
    revoked = call("POST", "hl7_api:certificate_revoke", added.json()["id"]).json()
    assert revoked["revoked_at"] is not None
    assert [one["id"] for one in call("GET", "hl7_api:certificates", endpoint.pk).json()] == [added.json()["id"]]
    assert AuditEvent.objects.get(action="certificate.revoked").actor == "api:backup"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda engine: engine.key_pem.decode(), "certificate.private_key"),
        (lambda _: "<html>sign in</html>", "certificate.web_page"),
        (lambda _: make_identity(end=make_identity().certificate.not_valid_before_utc + DAY / 2).pem.decode(), None),
    ],
    ids=["private key", "web page", "expired"],
)
def test_what_is_no_usable_certificate_has_its_own_answer_and_is_not_kept(call, endpoint, engine, make, code):
    answer = call("POST", "hl7_api:certificates", endpoint.pk, data={"text": make(engine)})
    assert answer.status_code == 422
    assert answer.json()["code"] == (code or "certificate.expired")
    assert not SenderCertificate.objects.exists()


def test_silence_and_kept_texts_are_set_within_the_pages_limits(call, endpoint):
    assert call("GET", "hl7_api:watch", endpoint.pk).json() == {"hours": SenderWatch.DEFAULT_HOURS}
    assert call("PUT", "hl7_api:watch", endpoint.pk, data={"hours": 6}).json() == {"hours": 6}
    assert call("PUT", "hl7_api:watch", endpoint.pk, data={"hours": 721}).status_code == 400
    assert call("GET", "hl7_api:retention").json() == {"hours": 0}
    assert call("PUT", "hl7_api:retention", data={"hours": 72}).json() == {"hours": 72}
    assert call("PUT", "hl7_api:retention", data={"hours": 73}).status_code == 400
    assert (SenderWatch.objects.get().hours, RawRetention.objects.get().hours) == (6, 72)
