"""Every call of the REST API: refused without its one scope, and blind to other organizations."""

import uuid

import pytest
from django.utils import timezone

from config_portal.models.api_token import Scope
from config_portal.services.preflight import request_preflight
from config_portal.services.sharing import invite_affiliate
from hl7intake.services.certificates import add_certificate
from sms.models import NumberOrder, PhoneNumber
from tests.factories import make_endpoint, make_organization
from tests.hl7intake.pki import make_identity
from tests.repo.access_table import ACCESS
from tests.repo.test_access import FOUND
from tests.repo.test_crawl import parameters
from tests.scripts import ALL, Script, make_token

pytestmark = pytest.mark.django_db
FORBIDDEN, NOT_FOUND = 403, 404
TAKEN = dict(parameters())
CALLS = sorted(
    (name, method, str(scope))
    for name, rule in ACCESS.items()
    if rule == "token"
    for method, scope in FOUND[name].cls.scopes.items()
)
PLAIN = {"number": 1, "environment": "test", "language": "en", "kind": "patients"}


@pytest.fixture(scope="module")
def private_key_of_a_sender():
    return make_identity()


@pytest.fixture
def things(private_key_of_a_sender):
    """What an organization has, by the name that addresses know it by."""
    organization, now = make_organization(), timezone.now()
    endpoint = make_endpoint(organization)
    identity = private_key_of_a_sender
    order = NumberOrder.objects.create(
        organization=organization, supplier="acs", country="US", kind="toll_free",
        requested_by="avery", requested_at=now, started_at=now, next_at=now,
    )  # fmt: skip
    return {
        **PLAIN,
        "organization": organization,
        "endpoint_id": endpoint.pk,
        "run_id": request_preflight(endpoint, inputs={}, actor="avery", now=now).pk,
        "invitation_id": invite_affiliate(endpoint, affiliate="Tailspin", actor="avery", now=now)[0].pk,
        "certificate_id": add_certificate(endpoint, identity.pem, actor="avery", now=now).pk,
        "number_id": PhoneNumber.objects.get(organization=organization).pk,
        "order_id": order.pk,
    }


def args_of(name, things):
    return [things[taken] for taken in TAKEN[name]]


def test_every_call_names_a_scope_that_tokens_can_have():
    assert len(CALLS) > 50
    assert {scope for _, _, scope in CALLS} == set(Scope.values)


@pytest.mark.parametrize(("name", "method", "scope"), CALLS)
def test_a_call_is_refused_with_every_scope_but_its_own(things, name, method, scope):
    others = [other for other in ALL if other != scope]
    refused = Script(things["organization"], others)(method, name, *args_of(name, things))
    assert (refused.status_code, refused.json()["code"]) == (FORBIDDEN, "api.permission_denied")


@pytest.mark.parametrize(("name", "method", "scope"), [call for call in CALLS if {*TAKEN[call[0]]} - {*PLAIN}])
def test_what_another_organization_has_is_not_found(things, name, method, scope):
    stranger = make_token(make_organization(name="Tailspin Clinics"))
    foreign = Script(things["organization"])(method, name, *args_of(name, things), token=stranger, data={})
    nobodys = [things[taken] if taken in PLAIN else uuid.UUID(int=7) for taken in TAKEN[name]]
    unknown = Script(things["organization"])(method, name, *nobodys, token=stranger, data={})
    assert (foreign.status_code, foreign.json()["code"]) == (NOT_FOUND, "api.not_found")
    assert _without_reference(foreign) == _without_reference(unknown)


def _without_reference(answer):
    return {name: value for name, value in answer.json().items() if name != "request_id"}
