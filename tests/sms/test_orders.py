"""Numbers are got step by step; whatever dies in between, no number is bought twice."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import ConfigurationError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from core.models import AuditEvent
from sms.models import NumberOrder, PhoneNumber
from sms.providers.numbers import NumberKind, Offer, OwnedNumber
from sms.services import orders
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NUMBER, OTHER = "+18335550120", "+18335550121"
ACTOR = "avery.reed@lamna.example.org"
State = NumberOrder.State


class Account:
    """An account at a supplier, in memory: what it offers, what it holds, and what goes wrong next."""

    offers = {"US": (NumberKind.TOLL_FREE, NumberKind.LOCAL)}
    registers = {}

    def __init__(self):
        self.for_sale = [NUMBER, OTHER]
        self.held = set()
        self.bought = []
        self.cancelled = []
        self.search_runs = self.purchase_runs = 0
        self.purchase_raises = []
        self.takes_before_raising = True
        self.offer_lasts = timedelta(minutes=15)
        self.now = NOW

    def start_search(self, wanted):
        return "search-1"

    def search_result(self, wanted, *, operation):
        if self.search_runs:
            self.search_runs -= 1
            return None
        if not self.for_sale:
            raise UpstreamRejected("sms.number_out_of_stock")
        expires_at = self.now + self.offer_lasts
        return Offer(number=self.for_sale[0], reference="r-1", expires_at=expires_at, price="2.00 USD a month")

    def start_purchase(self, wanted, offer):
        error = self.purchase_raises.pop(0) if self.purchase_raises else None
        if error is None or self.takes_before_raising:
            self.bought.append(offer.number)
            self.held.add(offer.number)
        if error is not None:
            raise error
        return "purchase-1"

    def is_purchase_running(self, operation):
        self.purchase_runs -= 1
        return self.purchase_runs >= 0

    def find(self, number):
        return OwnedNumber(number=number, supplier_id=f"PN{number[-2:]}") if number in self.held else None

    def cancel(self, operation):
        self.cancelled.append(operation)

    def release(self, owned):
        self.held.discard(owned.number)


@pytest.fixture
def account(monkeypatch):
    account = Account()
    monkeypatch.setattr("sms.services.number_suppliers.supplier_of", lambda supplier: account)
    return account


@pytest.fixture
def order(account):
    return start(make_organization())


def start(organization, **values):
    values = {"supplier": "acs", "kind": "toll_free", "area_code": "", "actor": ACTOR, "now": NOW, **values}
    return orders.start_order(organization, **values)


def work(account, order, *, steps=20, at=NOW):
    """Let the job run until nothing is due, at most ``steps`` times; return the order and the time."""
    for _ in range(steps):
        account.now = at
        orders.advance_due(now=at)
        order.refresh_from_db()
        if not order.is_open:
            break
        at = max(at, order.next_at)
    return at


def test_an_order_goes_from_searching_to_ready(account, order):
    seen = [order.state]
    at = NOW
    while order.is_open:
        orders.advance_due(now=at)
        order.refresh_from_db()
        seen.append(order.state)
        at = max(at, order.next_at)
    assert list(dict.fromkeys(seen)) == [State.SEARCHING, State.RESERVING, State.BUYING, State.READY]
    number = PhoneNumber.objects.get()
    assert order.phone_number == number
    assert (number.number, number.supplier_id, number.kind) == (NUMBER, "PN20", "toll_free")
    assert number.is_blocked_by_carriers, "a new toll-free number is not verified"
    assert order.price == "2.00 USD a month"


def test_a_new_local_number_waits_for_its_10dlc_campaign(account):
    order = start(make_organization(), kind="local")
    work(account, order)
    number = PhoneNumber.objects.get()
    assert (number.verification, number.is_blocked_by_carriers) == ("not_submitted", True)


def test_who_ordered_and_what_came_of_it_is_in_the_audit_trail(account, order):
    work(account, order)
    events = AuditEvent.objects.filter(subject_id=str(order.pk)).values_list("action", "actor")
    assert list(events) == [("sms.number_ordered", ACTOR), ("sms.number_ready", "system")]


def test_a_second_click_orders_nothing_more(account, order):
    again = start(order.organization, now=NOW + timedelta(seconds=1))
    assert again == order
    work(account, order)
    assert account.bought == [NUMBER]


def test_slow_steps_are_asked_about_again_and_started_once(account, order):
    account.search_runs, account.purchase_runs = 3, 3
    work(account, order)
    assert (order.state, account.bought) == (State.READY, [NUMBER])


def test_nothing_for_sale_ends_the_order_with_the_reason(account, order):
    account.for_sale = []
    work(account, order)
    assert (order.state, order.error_code) == (State.FAILED, "sms.number_out_of_stock")
    assert order.finished_at == NOW


def test_a_purchase_that_was_not_answered_but_took_effect_is_found_and_not_repeated(account, order):
    account.purchase_raises = [OutcomeUnknown("acs.no_answer")]
    work(account, order)
    assert (order.state, account.bought) == (State.READY, [NUMBER])


def test_a_purchase_that_was_not_answered_and_had_no_effect_is_repeated_only_after_the_doubt_is_over(account, order):
    account.purchase_raises, account.takes_before_raising = [OutcomeUnknown("acs.no_answer")], False
    asked = []
    account.start_purchase = _noting(account.start_purchase, asked, account)
    work(account, order, steps=300)
    assert (order.state, account.bought) == (State.READY, [NUMBER])
    assert asked[1] - asked[0] >= orders.DOUBT


def _noting(call, times, account):
    def noted(*args):
        times.append(account.now)
        return call(*args)

    return noted


def test_a_worker_that_died_during_the_purchase_leaves_it_to_the_next_who_looks_first(account, order):
    work(account, order, steps=2)
    assert order.state == State.BUYING
    # What the dead worker did: it said that it would buy, bought, and never stored the answer.
    NumberOrder.objects.update(purchase_started_at=NOW, lease_until=NOW + orders.LEASE)
    account.held.add(NUMBER)
    assert orders.advance_due(now=NOW + timedelta(seconds=5)) == 0, "still in the dead worker's hands"
    work(account, order, at=NOW + orders.LEASE)
    assert (order.state, account.bought) == (State.READY, [])


def test_a_number_that_somebody_else_bought_is_replaced_by_another(account, order):
    account.purchase_raises, account.takes_before_raising = [UpstreamRejected("sms.number_taken")], False
    work(account, order, steps=2)
    account.for_sale = [OTHER]
    work(account, order)
    assert (order.state, account.bought) == (State.READY, [OTHER])
    assert order.searches == 2


def test_a_refusal_that_means_we_have_it_already_is_understood(account, order):
    account.purchase_raises = [UpstreamRejected("sms.number_taken")]
    work(account, order)
    assert (order.state, account.bought) == (State.READY, [NUMBER])


def test_it_gives_up_when_others_are_always_faster(account, order):
    account.purchase_raises = [UpstreamRejected("sms.number_taken")] * 9
    account.takes_before_raising = False
    work(account, order)
    assert (order.state, order.error_code, order.searches) == (State.FAILED, "sms.number_taken", orders.MOST_SEARCHES)


def test_a_reservation_that_ran_out_is_searched_anew(account, order):
    account.offer_lasts = timedelta(seconds=1)
    work(account, order, steps=1)
    account.offer_lasts = timedelta(minutes=15)
    work(account, order, at=NOW + timedelta(seconds=5))
    assert (order.state, order.searches) == (State.READY, 2)


def test_a_supplier_that_is_away_is_asked_again_with_growing_distance(account, order, monkeypatch):
    def unreachable(wanted):
        raise UpstreamUnavailable("acs.unreachable")

    monkeypatch.setattr(account, "start_search", unreachable)
    waits, at = [], NOW
    for _ in range(4):
        orders.advance_due(now=at)
        order.refresh_from_db()
        waits.append(order.next_at - at)
        at = order.next_at
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert order.is_open


def test_ten_minutes_without_a_number_fail_and_can_be_resumed(account, order):
    account.purchase_runs = 10_000
    at = work(account, order, steps=1000)
    assert (order.state, order.error_code) == (State.FAILED, "sms.number_timed_out")
    assert at - NOW >= orders.LONGEST
    assert orders.resume(order, actor=ACTOR, now=at)
    account.purchase_runs = 0
    order.refresh_from_db()
    work(account, order, at=at)
    assert (order.state, account.bought) == (State.READY, [NUMBER]), "found, not bought a second time"


def test_cancelling_a_search_stops_it_at_the_supplier(account, order):
    account.search_runs = 10_000
    work(account, order, steps=2)
    orders.cancel(order, actor=ACTOR, now=NOW)
    work(account, order)
    assert (order.state, account.cancelled, account.bought) == (State.CANCELLED, ["search-1"], [])


def test_cancelling_a_purchase_gives_the_number_back(account, order):
    account.purchase_runs = 3
    work(account, order, steps=4)
    assert order.state == State.BUYING
    orders.cancel(order, actor=ACTOR, now=NOW)
    work(account, order, at=NOW + timedelta(minutes=1))
    assert (order.state, account.held) == (State.CANCELLED, set())
    assert not PhoneNumber.objects.exists()


def test_a_cancellation_during_a_step_is_not_overwritten_by_it(account, order, monkeypatch):
    offer = account.search_result

    def cancelled_meanwhile(wanted, *, operation):
        orders.cancel(NumberOrder.objects.get(), actor=ACTOR, now=NOW)
        return offer(wanted, operation=operation)

    monkeypatch.setattr(account, "search_result", cancelled_meanwhile)
    work(account, order)
    assert (order.state, account.bought) == (State.CANCELLED, [])


def test_an_operator_who_has_not_set_the_supplier_up_is_named_at_once(db):
    organization = make_organization(country="FR")
    with pytest.raises(ConfigurationError, match=r"sms\.country_not_offered"):
        start(organization)


def test_only_one_order_of_an_organization_is_under_way_when_an_old_one_is_resumed(account, order):
    account.for_sale = []
    work(account, order)
    account.for_sale = [NUMBER]
    start(order.organization)
    assert not orders.resume(order, actor=ACTOR, now=NOW)
