"""The SMS setup through the REST API: consents word for word, numbers, drafts, words, switches."""

import pytest

from config_portal.models import Organization
from core.errors import ConfigurationError
from core.models import AuditEvent
from sms.models import NumberOrder, PhoneNumber, SmsConfiguration, SmsConsent, SmsTemplate
from sms.services import consents, number_suppliers
from tests.factories import make_endpoint, make_organization
from tests.scripts import Script
from tests.sms.test_orders import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def call(endpoint):
    return Script(endpoint.organization)


# --- Consents -------------------------------------------------------------------------------------
def test_consent_is_given_word_for_word_or_not_at_all():
    call = Script(make_organization())
    asked = {one["kind"]: one["wording"] for one in call("GET", "sms_api:consents").json()}
    assert asked == consents.WORDINGS
    refused = call("POST", "sms_api:consents", data={**asked, "patients": "yes"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["patients"])
    assert not SmsConsent.objects.exists()
    given = call("POST", "sms_api:consents", data=asked).json()
    assert [one["given_by"] for one in given] == ["api:backup", "api:backup"]
    withdrawn = call("POST", "sms_api:consent_withdraw", "patients").json()
    assert [bool(one["given_at"]) for one in withdrawn] == [False, True]
    assert call("POST", "sms_api:consent_withdraw", "wishes").status_code == 404


# --- Numbers --------------------------------------------------------------------------------------
@pytest.fixture
def supplier(monkeypatch):
    account = Account()

    def of(name):
        if name != "acs":
            raise ConfigurationError("sms.supplier_not_configured")
        return account

    monkeypatch.setattr(number_suppliers, "supplier_of", of)
    return account


def test_a_number_is_ordered_once_watched_and_cancelled(call, endpoint, supplier):
    data = {"supplier": "acs", "kind": "toll_free"}
    begun = call("POST", "sms_api:numbers", data=data)
    assert (begun.status_code, begun.json()["state"]) == (202, "searching")
    order = begun.json()["id"]
    assert call("POST", "sms_api:numbers", data=data).json()["id"] == order
    assert call("POST", "sms_api:order_cancel", order).status_code == 200
    assert NumberOrder.objects.get().cancel_requested_at is not None
    assert call("GET", "sms_api:order", order).json()["requested_by"] == "api:backup"
    NumberOrder.objects.update(state="failed", error_code="sms.number_timed_out")
    assert call("POST", "sms_api:order_resume", order).json()["state"] == "searching"


@pytest.mark.parametrize(
    "data", [{"supplier": "twilio", "kind": "local"}, {"supplier": "acs", "kind": "mobile"}, {"supplier": "acs"}]
)
def test_what_nobody_offers_here_is_not_ordered(call, supplier, data):
    assert call("POST", "sms_api:numbers", data=data).status_code == 400
    assert not NumberOrder.objects.exists()


def test_verification_is_noted_with_who_said_so_and_a_number_in_use_stays(call, endpoint, supplier):
    number = PhoneNumber.objects.get()
    noted = call("POST", "sms_api:number_verification", number.pk, data={"state": "rejected", "reason": "no website"})
    assert (noted.json()["verification"], noted.json()["verification_by"]) == ("rejected", "api:backup")
    assert noted.json()["is_blocked_by_carriers"] is True
    kept = call("POST", "sms_api:number_release", number.pk)
    assert (kept.status_code, kept.json()["code"]) == (422, "sms.number_in_use")
    assert [one["number"] for one in call("GET", "sms_api:numbers").json()] == [number.number]


# --- What is texted -------------------------------------------------------------------------------
def test_a_draft_is_changed_by_what_is_named_and_waits_for_approval(call, endpoint):
    before = call("GET", "sms_api:connection", endpoint.pk).json()
    assert (before["number"], before["reminder_minutes"], before["quiet_from"]) == ("+18335550142", [1440, 120], "")
    data = {"reminder_minutes": [30, 2880, 30], "quiet_from": "21:00", "quiet_until": "07:30"}
    answer = call("PATCH", "sms_api:connection", endpoint.pk, data=data)
    assert answer.status_code == 200, answer.content
    assert answer.json()["reminder_minutes"] == [2880, 30]
    assert (answer.json()["quiet_until"], answer.json()["needs_approval"]) == ("07:30", True)
    assert answer.json()["confirms_moved"] is True
    assert AuditEvent.objects.get(action="sms.setup_changed").actor == "api:backup"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"number": "+18005550100"}, "number"),
        ({"number": ""}, "is_stop_accepted"),
        ({"reminder_minutes": [5]}, "reminder_minutes"),
        ({"reminder_minutes": list(range(10, 100, 10))}, "reminder_minutes"),
        ({"quiet_from": "21:00"}, "quiet_until"),
        ({"visit_cap": 0}, "visit_cap"),
        ({"is_paused": True}, "is_paused"),
        ({"endpoint": "x"}, "endpoint"),
    ],
)
def test_what_the_page_refuses_is_refused(call, endpoint, data, field):
    before = SmsConfiguration.objects.values().get()
    answer = call("PATCH", "sms_api:connection", endpoint.pk, data=data)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert SmsConfiguration.objects.values().get() == before


def test_another_organizations_number_is_not_held(call, endpoint):
    PhoneNumber.objects.create(
        organization=make_organization(name="Tailspin Clinics"), number="+18335550199", supplier="acs"
    )
    answer = call("PATCH", "sms_api:connection", endpoint.pk, data={"number": "+18335550199"})
    assert answer.json()["fields"]["number"] == ["The organization holds no such number."]


def test_texts_stop_only_when_that_is_confirmed(call, endpoint):
    answer = call("PATCH", "sms_api:connection", endpoint.pk, data={"number": "", "is_stop_accepted": True})
    assert (answer.status_code, answer.json()["number"]) == (200, "")


def test_pause_share_and_unpause_act_at_once(call, endpoint):
    assert call("POST", "sms_api:pause", endpoint.pk, data={}).status_code == 400
    assert call("POST", "sms_api:pause", endpoint.pk, data={"reason": "wrong words"}).json()["is_paused"] is True
    assert AuditEvent.objects.get(action="sms.paused").data["reason"] == "wrong words"
    assert call("PUT", "sms_api:share", endpoint.pk, data={"percent": 25}).json()["released_percent"] == 25
    assert call("PUT", "sms_api:share", endpoint.pk, data={"percent": 26}).status_code == 400
    assert call("POST", "sms_api:unpause", endpoint.pk).json()["is_paused"] is False


# --- Words ----------------------------------------------------------------------------------------
def test_words_are_checked_as_on_the_page_and_others_stay(call, endpoint):
    body = "{organization}: video visit {when}. Join: {link} Reply HELP for help, STOP to end."
    answer = call("PATCH", "sms_api:words", "en", data={"reminder": body})
    assert answer.status_code == 200, answer.content
    assert answer.json()["words"]["reminder"] == body
    assert list(SmsTemplate.objects.values_list("kind", "body")) == [("reminder", body)]
    named = call("PATCH", "sms_api:words", "en", data={"reminder": "Dear {name}, your oncology visit {link}"})
    assert (named.status_code, list(named.json()["fields"])) == (400, ["reminder"])
    assert [one["language"] for one in call("GET", "sms_api:languages").json()] == ["en", "es"]
    assert call("GET", "sms_api:words", "xx").status_code == 404
    assert Organization.objects.get().sms_templates.count() == 1
