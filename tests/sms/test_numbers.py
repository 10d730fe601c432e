from datetime import UTC, datetime, timedelta

import pytest

from core.errors import ConfigurationError, UpstreamUnavailable
from core.models import AuditEvent
from sms.models import PhoneNumber, SmsConfiguration
from sms.providers.numbers import NumberKind, OwnedNumber, Verification, VerificationReport
from sms.services import countries, numbers
from tests.factories import make_endpoint, make_organization

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
ACTOR = "avery.reed@lamna.example.org"


class Account:
    """What a supplier holds and says; in memory."""

    offers = {"US": ("toll_free",)}

    def __init__(self):
        self.registers = {NumberKind.TOLL_FREE: self}
        self.held = {"+18335550142"}
        self.report = VerificationReport(state=Verification.PENDING)
        self.is_away = False
        self.asked = 0

    def find(self, number):
        return OwnedNumber(number=number, supplier_id="PN42") if number in self.held else None

    def release(self, owned):
        if self.is_away:
            raise UpstreamUnavailable("acs.unreachable")
        self.held.discard(owned.number)

    def verification(self, owned):
        self.asked += 1
        return self.report


@pytest.fixture
def account(monkeypatch):
    account = Account()
    monkeypatch.setattr("sms.services.number_suppliers.supplier_of", lambda supplier: account)
    return account


@pytest.fixture
def number(account):
    return PhoneNumber.objects.create(organization=make_organization(), number="+18335550142", supplier="twilio")


def test_a_number_that_an_endpoint_texts_from_is_not_given_back(account):
    endpoint = make_endpoint()
    number = PhoneNumber.objects.get()
    with pytest.raises(ConfigurationError, match=r"sms\.number_in_use"):
        numbers.request_release(number, actor=ACTOR, now=NOW)
    assert numbers.uses_of(number) == [endpoint]


def test_nor_one_that_the_approved_configuration_still_names(account):
    endpoint = make_endpoint()
    number = PhoneNumber.objects.get()
    SmsConfiguration.objects.update(number=None)
    assert numbers.uses_of(number) == [endpoint]


def test_nor_one_that_takes_over_for_another(account, number):
    endpoint = make_endpoint(number.organization, with_sms=False)
    SmsConfiguration.objects.create(endpoint=endpoint, failover_number=number)
    assert numbers.uses_of(number) == [endpoint]


def test_a_number_is_gone_once_the_account_no_longer_holds_it(account, number):
    numbers.request_release(number, actor=ACTOR, now=NOW)
    account.is_away = True
    assert numbers.release_requested(now=NOW) == 0
    account.is_away = False
    assert numbers.release_requested(now=NOW) == 1
    number.refresh_from_db()
    assert number.released_at == NOW
    assert numbers.release_requested(now=NOW) == 0
    assert [event.action for event in AuditEvent.objects.filter(subject_type="sms.phonenumber")] == [
        "sms.number_release_requested",
        "sms.number_released",
    ]


def test_a_number_given_back_may_come_back_to_somebody_else(account, number):
    numbers.request_release(number, actor=ACTOR, now=NOW)
    numbers.release_requested(now=NOW)
    again = PhoneNumber.objects.create(organization=make_organization(), number=number.number, supplier="twilio")
    assert list(PhoneNumber.objects.held()) == [again]


def test_carriers_block_a_toll_free_number_until_they_approve_it(account, number):
    blocked = []
    for state in PhoneNumber.Verification.values:
        number.verification = state
        blocked.append((state, number.is_blocked_by_carriers))
    assert dict(blocked) == {
        "not_needed": False,
        "not_submitted": True,
        "pending": True,
        "approved": False,
        "rejected": True,
    }


def test_the_supplier_is_asked_how_verification_stands_but_not_all_the_time(account, number):
    assert numbers.check_verifications(now=NOW) == 1
    number.refresh_from_db()
    assert (number.verification, number.verification_by) == ("pending", "supplier")
    assert numbers.check_verifications(now=NOW + timedelta(minutes=1)) == 0
    assert account.asked == 1
    account.report = VerificationReport(state=Verification.REJECTED, reason="Business name does not match")
    assert numbers.check_verifications(now=NOW + numbers.CHECK_EVERY) == 1
    number.refresh_from_db()
    assert (number.verification, number.verification_reason) == ("rejected", "Business name does not match")


def test_an_approved_number_is_not_asked_about_any_more(account, number):
    account.report = VerificationReport(state=Verification.APPROVED)
    numbers.check_verifications(now=NOW)
    numbers.check_verifications(now=NOW + timedelta(days=1))
    assert account.asked == 1


def test_where_the_supplier_does_not_tell_a_person_does(account, number):
    account.registers = {}
    assert not numbers.can_check_verification(number)
    numbers.record_verification(number, state="approved", actor=ACTOR, now=NOW)
    number.refresh_from_db()
    assert (number.verification, number.verification_by, number.verification_at) == ("approved", ACTOR, NOW)


def test_numbers_are_offered_in_the_country_of_the_organization():
    american = countries.offers_for(make_organization(country="US"))
    british = countries.offers_for(make_organization(country="GB"))
    french = countries.offers_for(make_organization(country="FR"))
    assert [offer.supplier for offer in american] == ["acs", "twilio"]
    assert [(offer.supplier, offer.kinds) for offer in british] == [("twilio", ("mobile",))]
    assert french == []


@pytest.mark.parametrize(
    ("country", "to", "is_allowed"),
    [
        ("US", "+16085550177", True),
        ("US", "+14165550177", True),
        ("US", "+447700900123", False),
        ("GB", "+447700900123", True),
        ("GB", "+16085550177", False),
        ("US", "+8801700000000", False),
    ],
)
def test_texts_go_only_to_phones_under_the_calling_code_of_the_country(country, to, is_allowed):
    assert countries.may_text(country, to) == is_allowed


def test_a_local_number_of_the_united_states_waits_for_its_campaign(account):
    local = PhoneNumber(number="+16085550142", kind="local", country="US", verification="not_submitted")
    assert (local.is_blocked_by_carriers, local.carriers_register) == (True, "10DLC registration")
    local.verification = "approved"
    assert not local.is_blocked_by_carriers
    british = PhoneNumber(number="+447700900142", kind="mobile", country="GB", verification="not_submitted")
    assert not british.is_blocked_by_carriers  # no carrier there keeps such a register


def test_only_the_kinds_whose_register_can_be_asked_are_asked(account):
    local = PhoneNumber.objects.create(
        organization=make_organization(), number="+16085550142", supplier="twilio", kind="local"
    )
    assert not numbers.can_check_verification(local)
    assert numbers.check_verifications(now=NOW) == 0
    assert account.asked == 0
