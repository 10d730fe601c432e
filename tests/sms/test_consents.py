from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from core.models import AuditEvent
from sms.models import SmsConsent, SmsMessage
from sms.services import consents, sending
from tests.factories import make_endpoint, make_organization, make_visit

pytestmark = pytest.mark.django_db
KINDS = SmsConsent.Kind
ACTOR = "avery.reed@lamna.example.org"
NOW = timezone.now()


def test_a_consent_remembers_who_gave_it_when_and_in_which_words():
    organization = make_organization()
    consents.give(organization, [KINDS.PATIENTS], actor=ACTOR, now=NOW)
    consent = SmsConsent.objects.get()
    assert (consent.given_by, consent.given_at) == (ACTOR, NOW)
    assert consent.wording == consents.WORDINGS[KINDS.PATIENTS]
    assert AuditEvent.objects.get(action="sms.consent_given").actor == ACTOR


def test_both_are_needed():
    organization = make_organization()
    assert not consents.are_given(organization.pk)
    consents.give(organization, [KINDS.PATIENTS], actor=ACTOR, now=NOW)
    assert not consents.are_given(organization.pk)
    consents.give(organization, [KINDS.PROCESSING], actor=ACTOR, now=NOW)
    assert consents.are_given(organization.pk)


def test_giving_it_twice_keeps_the_first():
    organization = make_organization()
    consents.give(organization, KINDS.values, actor=ACTOR, now=NOW)
    consents.give(organization, KINDS.values, actor="kim.soto@lamna.example.org", now=NOW + timedelta(hours=1))
    assert {consent.given_by for consent in SmsConsent.objects.all()} == {ACTOR}


def test_the_words_that_were_agreed_to_stay_when_ours_change(monkeypatch):
    organization = make_organization()
    consents.give(organization, [KINDS.PATIENTS], actor=ACTOR, now=NOW)
    agreed_to = consents.WORDINGS[KINDS.PATIENTS]
    monkeypatch.setitem(consents.WORDINGS, KINDS.PATIENTS, "Something else.")
    assert consents.states(organization)[0].wording == agreed_to


def test_a_withdrawal_is_kept_with_who_and_when_and_may_be_followed_by_a_new_consent():
    organization = make_organization()
    consents.give(organization, KINDS.values, actor=ACTOR, now=NOW)
    assert consents.withdraw(organization, KINDS.PATIENTS, actor="kim.soto@lamna.example.org", now=NOW)
    assert not consents.withdraw(organization, KINDS.PATIENTS, actor=ACTOR, now=NOW)
    state = consents.states(organization)[0]
    assert (state.current, state.last.withdrawn_by) == (None, "kim.soto@lamna.example.org")
    consents.give(organization, [KINDS.PATIENTS], actor=ACTOR, now=NOW + timedelta(hours=1))
    assert consents.are_given(organization.pk)
    assert SmsConsent.objects.filter(kind=KINDS.PATIENTS).count() == 2


def test_one_organizations_consent_says_nothing_about_another():
    consents.give(make_organization(), KINDS.values, actor=ACTOR, now=NOW)
    assert not consents.are_given(make_organization().pk)


@pytest.mark.parametrize("kind", KINDS.values)
def test_a_withdrawal_stops_a_text_that_is_already_due(kind):
    visit = make_visit(make_endpoint())
    consents.withdraw(visit.organization, kind, actor=ACTOR, now=NOW)
    with responses.RequestsMock():  # no call is expected, and any would fail the test
        sending.deliver_due(now=timezone.now())
    text = SmsMessage.objects.get(kind="scheduled")
    assert (text.state, text.error_code) == ("suppressed", "sms.no_consent")
