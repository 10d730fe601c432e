"""SMS notifications on the Setup page and in the pre-flight check."""

import pytest
from django.utils import timezone

from config_portal import doctor, wizard
from config_portal.doctor import CheckContext, Outcome
from config_portal.wizard import SetupContext, StepState
from core.errors import ConfigurationError
from sms import setup_step
from sms.models import NumberOrder, PhoneNumber, SmsConfiguration, SmsConsent
from sms.providers.numbers import OwnedNumber
from sms.services import consents
from tests.factories import make_endpoint, make_organization

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ACTOR = "avery.reed@lamna.example.org"


def status(organization):
    context = SetupContext(organization=organization, endpoints=list(organization.endpoints.all()), now=NOW)
    return setup_step.status(context)


class Account:
    """What the supplier says of a number."""

    def __init__(self, *, holds):
        self.holds = holds

    def find(self, number):
        return OwnedNumber(number=number, supplier_id="PN1") if self.holds else None


@pytest.fixture
def account(monkeypatch):
    account = Account(holds=True)
    monkeypatch.setattr("sms.services.number_suppliers.supplier_of", lambda supplier: account)
    return account


def check(endpoint, run=setup_step.check_number):
    return run(CheckContext(endpoint=endpoint, now=NOW))


def test_the_step_and_its_checks_are_registered():
    assert "sms" in [step.name for step in wizard.steps()]
    assert {"sms-consent", "sms-number"} <= {line.name for line in doctor.checks()}


def test_the_step_goes_from_consent_to_number_to_done():
    organization = make_organization()
    endpoint = make_endpoint(organization, with_sms=False)
    seen = [status(organization)]
    consents.give(organization, SmsConsent.Kind.values, actor=ACTOR, now=NOW)
    seen.append(status(organization))
    order = NumberOrder.objects.create(
        organization=organization, supplier="acs", country="US", kind="toll_free", requested_by=ACTOR,
        requested_at=NOW, started_at=NOW, next_at=NOW,
    )  # fmt: skip
    seen.append(status(organization))
    order.delete()
    number = PhoneNumber.objects.create(organization=organization, number="+18335550142", supplier="acs")
    SmsConfiguration.objects.create(endpoint=endpoint, number=number)
    seen.append(status(organization))
    PhoneNumber.objects.update(verification="pending")
    seen.append(status(organization))
    PhoneNumber.objects.update(verification="approved")
    seen.append(status(organization))
    states = [each.state for each in seen]
    assert states == [
        StepState.NOT_STARTED, StepState.NEEDS_YOU, StepState.WAITING, StepState.NEEDS_YOU, StepState.WAITING,
        StepState.DONE,
    ]  # fmt: skip
    assert seen[4].owner == "the carriers"
    assert seen[5].detail.startswith(
        "(833) 555-0142 · Confirmations when booked, moved and cancelled · reminders 1 day"
    )


def test_a_withdrawn_consent_puts_the_step_back():
    organization = make_endpoint().organization
    assert status(organization).state == StepState.DONE
    consents.withdraw(organization, SmsConsent.Kind.PATIENTS, actor=ACTOR, now=NOW)
    assert status(organization).state == StepState.NEEDS_YOU


def test_a_number_that_is_ours_and_verified_passes(account):
    assert check(make_endpoint()).outcome == Outcome.PASSED


def test_a_number_that_the_account_does_not_hold_fails_and_says_what_to_do(account):
    account.holds = False
    result = check(make_endpoint())
    assert result.outcome == Outcome.FAILED
    assert "does not belong to the account" in result.cause
    assert result.link


def test_an_unverified_number_fails_because_carriers_drop_its_texts(account):
    endpoint = make_endpoint()
    PhoneNumber.objects.update(verification="rejected")
    result = check(endpoint)
    assert result.outcome == Outcome.FAILED
    assert "toll-free verification is rejected" in result.cause


def test_a_supplier_that_is_not_set_up_is_the_operators_to_mend(monkeypatch):
    def refuse(supplier):
        raise ConfigurationError("sms.supplier_not_configured", "The operator has not set up acs.")

    monkeypatch.setattr("sms.services.number_suppliers.supplier_of", refuse)
    result = check(make_endpoint())
    assert (result.outcome, result.code) == (Outcome.FAILED, "sms.supplier_not_configured")


def test_missing_consent_fails_and_no_texts_are_nothing_to_check(account):
    endpoint = make_endpoint()
    assert check(endpoint, setup_step.check_consent).outcome == Outcome.PASSED
    consents.withdraw(endpoint.organization, SmsConsent.Kind.PATIENTS, actor=ACTOR, now=NOW)
    assert check(endpoint, setup_step.check_consent).code == "sms.no_consent"
    other = make_endpoint(endpoint.organization, with_sms=False, name="other")
    assert check(other, setup_step.check_consent).outcome == Outcome.SKIPPED
    assert check(other).outcome == Outcome.SKIPPED
