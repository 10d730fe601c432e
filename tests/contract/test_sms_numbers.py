"""One contract for every supplier of numbers: the adapter against the twin, over a real socket."""

import time
import uuid
from dataclasses import dataclass, replace

import pytest
import requests

from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from core.http import build_session
from core.outbound import OutboundPolicy
from sms.providers.acs import AcsResource
from sms.providers.acs_numbers import AcsNumbers
from sms.providers.numbers import NumberKind, NumberSupplier, Offer, OwnedNumber, Verification, WantedNumber
from sms.providers.twilio_numbers import TwilioNumbers
from tests.sandbox.listener import Listener
from tests.sandbox.twin import ACCOUNT, ACS_KEY, AUTH_TOKEN, Twin

pytestmark = pytest.mark.xdist_group("sandbox")
LOOPBACK = OutboundPolicy.parse(["127.0.0.0/8"], allow_http=True)


@dataclass(frozen=True)
class Supplier:
    """An adapter and its name at the twin."""

    name: str
    adapter: NumberSupplier


@pytest.fixture
def twin(sandbox):
    listener = Listener()
    twin = Twin(sandbox.url, webhook=listener.url)
    yield twin
    twin.close()
    listener.close()


def acs(twin, *, key=ACS_KEY):
    return AcsNumbers(build_session(LOOPBACK), AcsResource(endpoint=f"{twin.url}/acs", access_key=key))


def twilio(twin, *, token=AUTH_TOKEN):
    return TwilioNumbers(
        build_session(LOOPBACK),
        base_url=f"{twin.url}/twilio",
        messaging_base_url=f"{twin.url}/twilio",
        account_sid=ACCOUNT,
        auth_token=token,
    )


@pytest.fixture(params=["acs", "twilio"])
def supplier(request, twin):
    return Supplier(request.param, {"acs": acs, "twilio": twilio}[request.param](twin))


@pytest.fixture
def wanted():
    return WantedNumber(
        country="US",
        kind=NumberKind.TOLL_FREE,
        area_code="",
        key=uuid.uuid4(),
        incoming_url="https://visits.lamna.example.org/webhooks/twilio/incoming",
    )


def poll(question):
    """Ask until there is an answer, as the job does."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if (answer := question()) is not None:
            return answer
        time.sleep(0.2)
    raise AssertionError("the operation did not finish")


def find_offer(supplier, wanted) -> Offer:
    operation = supplier.adapter.start_search(wanted)
    return poll(lambda: supplier.adapter.search_result(wanted, operation=operation))


def buy(supplier, wanted) -> OwnedNumber:
    offer = find_offer(supplier, wanted)
    operation = supplier.adapter.start_purchase(wanted, offer)
    poll(lambda: True if not supplier.adapter.is_purchase_running(operation) else None)
    owned = supplier.adapter.find(offer.number)
    assert owned is not None
    return owned


def test_a_number_is_found_bought_and_given_back(supplier, wanted):
    owned = buy(supplier, wanted)
    assert owned.number.startswith("+18")
    assert owned.supplier_id
    supplier.adapter.release(owned)
    poll(lambda: True if supplier.adapter.find(owned.number) is None else None)
    supplier.adapter.release(owned)  # a repetition is no error


def test_a_number_nobody_bought_is_not_ours(supplier):
    assert supplier.adapter.find("+18775550111") is None


@pytest.mark.parametrize(("kind", "area_code"), [(NumberKind.LOCAL, "608"), (NumberKind.TOLL_FREE, "877")])
def test_kind_and_area_are_respected(supplier, wanted, kind, area_code):
    offer = find_offer(supplier, replace(wanted, kind=kind, area_code=area_code))
    assert offer.number.startswith(f"+1{area_code}")


def test_a_supplier_without_such_a_number_says_so(twin, supplier, wanted):
    twin.put_faults({f"{supplier.name}.numbers": "out_of_stock"})
    with pytest.raises(UpstreamRejected, match=r"sms\.number_out_of_stock"):
        find_offer(supplier, wanted)


@pytest.mark.parametrize("fault", ["throttle", "error"])
def test_a_supplier_that_is_busy_or_broken_may_be_asked_again(twin, supplier, fault):
    twin.put_faults({f"{supplier.name}.http": fault})
    with pytest.raises(UpstreamUnavailable):
        supplier.adapter.find("+18335550100")


def test_every_supplier_offers_numbers_in_the_united_states(supplier):
    assert supplier.adapter.offers["US"][0] == NumberKind.TOLL_FREE


def test_a_key_that_is_refused_is_a_matter_of_configuration(twin):
    for adapter in (acs(twin, key="d3Jvbmc="), twilio(twin, token="wrong")):
        with pytest.raises(ConfigurationError, match="not_authorized"):
            adapter.find("+18335550100")


def test_azure_reserves_what_it_found_and_says_what_it_costs(twin, wanted):
    offer = find_offer(Supplier("acs", acs(twin)), wanted)
    assert offer.expires_at is not None
    assert offer.price == "2.00 USD a month"


def test_azure_cannot_provide_what_it_sold(twin, wanted):
    supplier = Supplier("acs", acs(twin))
    offer = find_offer(supplier, wanted)
    twin.put_faults({"acs.numbers": "provisioning_failed"})
    operation = supplier.adapter.start_purchase(wanted, offer)
    with pytest.raises(UpstreamRejected, match=r"sms\.number_not_provisioned"):
        poll(lambda: True if not supplier.adapter.is_purchase_running(operation) else None)


def test_azure_stops_a_search_and_does_not_mind_one_that_is_over(twin, wanted):
    adapter = acs(twin)
    twin.put_faults({"acs.numbers": "slow"})
    operation = adapter.start_search(wanted)
    adapter.cancel(operation)
    with pytest.raises(UpstreamRejected):
        adapter.search_result(wanted, operation=operation)
    adapter.cancel(operation)


def test_twilio_refuses_a_number_that_is_gone(twin, wanted):
    supplier = Supplier("twilio", twilio(twin))
    owned = buy(supplier, wanted)
    offer = Offer(number=owned.number, reference="", expires_at=None, price="")
    with pytest.raises(UpstreamRejected, match=r"sms\.number_taken"):
        supplier.adapter.start_purchase(wanted, offer)


def test_twilio_is_told_where_replies_go(twin, wanted):
    owned = buy(Supplier("twilio", twilio(twin)), wanted)
    assert twin.twilio("GET", f"IncomingPhoneNumbers/{owned.supplier_id}.json").json()["sms_url"] == wanted.incoming_url


@pytest.mark.parametrize(
    ("said", "state", "reason"),
    [
        ("PENDING_REVIEW", Verification.PENDING, ""),
        ("IN_REVIEW", Verification.PENDING, ""),
        ("TWILIO_APPROVED", Verification.APPROVED, ""),
        ("TWILIO_REJECTED", Verification.REJECTED, "Business name does not match"),
    ],
)
def test_twilio_tells_how_verification_stands(twin, wanted, said, state, reason):
    adapter = twilio(twin)
    owned = buy(Supplier("twilio", adapter), wanted)
    register = adapter.registers[NumberKind.TOLL_FREE]
    assert register.verification(owned).state == Verification.NOT_SUBMITTED
    body = {"verification": said, "reason": reason}
    requests.put(f"{twin.url}/control/numbers/{owned.number}", json=body, timeout=10).raise_for_status()
    report = register.verification(owned)
    assert (report.state, report.reason) == (state, reason)
