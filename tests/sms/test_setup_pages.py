"""The pages of the SMS setup: who may do what, what is stored, what is asked before it is stored."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from core.models import AuditEvent
from sms.models import NumberOrder, PhoneNumber, SmsConfiguration, SmsConsent, SmsTemplate
from sms.services import consents, planning
from tests.factories import approve, make_endpoint, make_organization, make_staff

pytestmark = pytest.mark.django_db
OVERVIEW = reverse("sms_setup:overview")
GOOD = "{organization}: video visit {when}. Join at {link} Help: {help}. Reply STOP to end texts."


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def admin(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return client


@pytest.fixture
def analyst(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ANALYST, username="dana.ortiz@lamna.example.org"))
    return client


def address(endpoint):
    return reverse("sms_setup:endpoint", args=[endpoint.pk])


def choices(endpoint, **changes):
    """Return the form as the page shows it, with changes."""
    draft = SmsConfiguration.objects.filter(endpoint=endpoint).first() or SmsConfiguration()
    rows = changes.pop("rows", [("1", "1440"), ("2", "60")])
    data = {
        "number": str(draft.number_id or ""),
        "failover_number": "",
        "confirms_scheduled": "on",
        "confirms_moved": "on",
        "confirms_cancelled": "on",
        "quiet_from": "",
        "quiet_until": "",
        "visit_cap": "12",
        "organization_cap": "20000",
        "reminders-TOTAL_FORMS": str(len(rows)),
        "reminders-INITIAL_FORMS": "0",
        "reminders-MIN_NUM_FORMS": "0",
        "reminders-MAX_NUM_FORMS": "8",
    }
    for number, (amount, unit) in enumerate(rows):
        data |= {f"reminders-{number}-amount": amount, f"reminders-{number}-unit": unit}
    return {name: value for name, value in (data | changes).items() if value is not None}


def new_number(organization, number="+18445550123", **values):
    values = {"supplier": "twilio", "verification": "approved", **values}
    return PhoneNumber.objects.create(organization=organization, number=number, **values)


# --- Consent ---
def test_an_administrator_agrees_and_the_page_says_who_did_and_when(client):
    organization = make_organization()
    client.force_login(make_staff(organization, Role.ADMIN))
    assert "Agree to both" in client.get(OVERVIEW).content.decode()
    client.post(reverse("sms_setup:give_consents"), {"patients": "on", "processing": "on"})
    page = client.get(OVERVIEW).content.decode()
    assert page.count("Agreed by avery.reed@lamna.example.org") == 2
    assert consents.are_given(organization.pk)


def test_one_box_is_not_enough(client):
    organization = make_organization()
    client.force_login(make_staff(organization, Role.ADMIN))
    page = client.post(reverse("sms_setup:give_consents"), {"patients": "on"}).content.decode()
    assert "There is a problem" in page
    assert not SmsConsent.objects.exists()


def test_withdrawing_says_what_stops_and_then_stops_it(admin, endpoint):
    url = reverse("sms_setup:withdraw", args=["patients"])
    assert "All texts stop at once" in admin.get(url).content.decode()
    assert consents.are_given(endpoint.organization_id)
    admin.post(url)
    assert not consents.are_given(endpoint.organization_id)
    assert "withdrawn by avery.reed" in admin.get(OVERVIEW).content.decode()


def test_an_unknown_consent_is_not_found(admin):
    assert admin.post(reverse("sms_setup:withdraw", args=["everything"])).status_code == 404


def test_an_analyst_reads_and_changes_nothing(analyst, endpoint):
    assert analyst.get(OVERVIEW).status_code == 200
    assert analyst.post(reverse("sms_setup:withdraw", args=["patients"])).status_code == 403
    assert analyst.post(reverse("sms_setup:generate"), {"source": "acs:toll_free"}).status_code == 403
    before = planning.snapshot_part(endpoint)
    assert analyst.post(address(endpoint), choices(endpoint, visit_cap="1")).status_code == 200
    assert planning.snapshot_part(endpoint) == before


# --- Numbers ---
def test_a_number_is_ordered_once_however_often_the_button_is_pressed(admin, endpoint):
    for _ in range(2):
        answer = admin.post(reverse("sms_setup:generate"), {"source": "twilio:local", "area_code": "608"})
        assert answer.status_code == 302
    order = NumberOrder.objects.get()
    assert (order.supplier, order.kind, order.area_code, order.country) == ("twilio", "local", "608", "US")
    assert order.requested_by == "avery.reed@lamna.example.org"


def test_what_the_country_does_not_offer_cannot_be_ordered(admin, endpoint):
    answer = admin.post(reverse("sms_setup:generate"), {"source": "acs:mobile"})
    assert answer.status_code == 200
    assert not NumberOrder.objects.exists()


def order_of(organization, **values):
    now = timezone.now()
    values = {"state": "buying", "number": "+18335550120", "started_at": now, **values}
    return NumberOrder.objects.create(
        organization=organization, supplier="acs", country="US", kind="toll_free", requested_by="avery.reed",
        requested_at=now, next_at=now, **values,
    )  # fmt: skip


def part(client, order, seen=""):
    return client.get(reverse("sms_setup:order", args=[order.pk]), {"seen": seen})


@pytest.mark.parametrize(("seconds", "is_long"), [(119, False), (121, True)])
def test_after_two_minutes_the_page_says_that_it_takes_longer_than_usual(admin, endpoint, seconds, is_long):
    order = order_of(endpoint.organization, started_at=timezone.now() - timedelta(seconds=seconds))
    page = part(admin, order).content.decode()
    assert ("longer than usual" in page) == is_long
    assert "hx-get" in page, "it goes on asking"


def test_the_page_changes_only_when_there_is_news(admin, endpoint):
    order = order_of(endpoint.organization)
    seen = f"buying-{order.number[1:]}-False-False"
    assert part(admin, order, seen).status_code == 204
    NumberOrder.objects.update(state="ready", phone_number=new_number(endpoint.organization))
    page = part(admin, order, seen).content.decode()
    assert "is yours" in page
    assert 'hx-trigger="every 2s"' not in page, "it stops asking"
    assert "(844) 555-0123" in page, "the table comes with it"


def test_closing_the_page_loses_nothing_and_nobody_is_sent_anywhere(admin, endpoint):
    order_of(endpoint.organization)
    page = admin.get(OVERVIEW).content.decode()
    assert "Getting a new phone number" in page
    assert "http-equiv" not in page
    assert "Check again" in page, "the way without scripts"


def test_a_failure_names_the_reason_and_who_can_help_and_can_be_tried_again(admin, endpoint):
    order = order_of(
        endpoint.organization, state="failed", error_code="sms.number_no_credit", finished_at=timezone.now()
    )
    page = admin.get(OVERVIEW).content.decode()
    assert "has no credit for another number" in page
    assert "pays for the supplier" in page
    admin.post(reverse("sms_setup:resume_order", args=[order.pk]))
    order.refresh_from_db()
    assert (order.state, order.error_code) == ("buying", "")


def test_an_order_can_be_stopped(admin, endpoint):
    order = order_of(endpoint.organization)
    admin.post(reverse("sms_setup:cancel_order", args=[order.pk]))
    order.refresh_from_db()
    assert order.cancel_requested_at is not None


def test_a_number_in_use_is_not_given_back_and_the_page_says_by_whom(admin, endpoint):
    number = PhoneNumber.objects.get()
    url = reverse("sms_setup:release", args=[number.pk])
    assert endpoint.name in admin.get(url).content.decode()
    admin.post(url)
    number.refresh_from_db()
    assert number.release_requested_at is None


def test_a_number_nobody_uses_is_given_back(admin, endpoint):
    number = new_number(endpoint.organization)
    admin.post(reverse("sms_setup:release", args=[number.pk]))
    number.refresh_from_db()
    assert number.release_requested_at is not None
    assert "Being given back" in admin.get(OVERVIEW).content.decode()


def test_what_azure_says_about_verification_is_stored_with_who_read_it(admin, endpoint):
    number = new_number(endpoint.organization, supplier="acs", verification="not_submitted")
    url = reverse("sms_setup:verification", args=[number.pk])
    admin.post(url, {"state": "rejected", "reason": "Business name does not match"})
    number.refresh_from_db()
    assert (number.verification, number.verification_by) == ("rejected", "avery.reed@lamna.example.org")
    page = admin.get(reverse("sms_setup:number", args=[number.pk])).content.decode()
    assert "Business name does not match" in page


# --- What is texted ---
def test_choices_are_drafts_until_they_are_approved(admin, endpoint):
    admin.post(address(endpoint), choices(endpoint, rows=[("3", "1440"), ("45", "1")], confirms_moved=None))
    assert SmsConfiguration.objects.get().reminder_minutes == [3 * 1440, 45]
    endpoint.refresh_from_db()
    assert planning.approved_choices_of(endpoint)["reminder_minutes"] == [1440, 120]
    assert "Changes not approved" in admin.get(OVERVIEW).content.decode()
    approve(endpoint)
    assert "Changes not approved" not in admin.get(OVERVIEW).content.decode()


def test_a_change_is_in_the_audit_trail_with_before_and_after(admin, endpoint):
    admin.post(address(endpoint), choices(endpoint, quiet_from="21:00", quiet_until="08:00", visit_cap="6"))
    data = AuditEvent.objects.get(action="sms.setup_changed").data
    assert (data["before"], data["after"]) == (
        {"quiet_from": None, "quiet_until": None, "visit_cap": 12},
        {"quiet_from": "21:00", "quiet_until": "08:00", "visit_cap": 6},
    )


def test_one_number_serves_several_connections(admin, endpoint):
    other = make_endpoint(endpoint.organization, with_sms=False, environment="production")
    number = PhoneNumber.objects.get()
    admin.post(address(other), choices(other, number=str(number.pk)))
    assert SmsConfiguration.objects.filter(number=number).count() == 2


def test_reminders_are_sorted_without_repetitions_and_empty_rows(admin, endpoint):
    rows = [("60", "1"), ("1", "60"), ("", "60"), ("2", "1440")]
    admin.post(address(endpoint), choices(endpoint, rows=rows))
    assert SmsConfiguration.objects.get().reminder_minutes == [2880, 60]


def test_a_removed_reminder_goes(admin, endpoint):
    admin.post(address(endpoint), choices(endpoint) | {"reminders-0-DELETE": "on"})
    assert SmsConfiguration.objects.get().reminder_minutes == [120]


def test_without_scripts_the_button_adds_a_row_and_stores_nothing(admin, endpoint):
    page = admin.post(address(endpoint), choices(endpoint, confirms_moved=None) | {"add_reminder": "1"})
    assert 'name="reminders-2-amount"' in page.content.decode()
    assert SmsConfiguration.objects.get().confirms_moved


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rows": [("5", "1")]}, "between 10 minutes and 30 days"),
        ({"rows": [("31", "1440")]}, "between 10 minutes and 30 days"),
        ({"quiet_from": "20:00"}, "both times"),
        ({"visit_cap": "0"}, "1 or more"),
        ({"number": ""}, "Confirm that texts stop"),
        ({"rows": [], "confirms_scheduled": None, "confirms_moved": None, "confirms_cancelled": None}, "texts stop"),
    ],
)
def test_what_makes_no_sense_or_stops_texts_is_said_before_it_is_stored(admin, endpoint, changes, words):
    before = planning.snapshot_part(endpoint)
    page = admin.post(address(endpoint), choices(endpoint, **changes)).content.decode()
    assert words in page
    assert planning.snapshot_part(endpoint) == before


def test_texts_stop_after_it_was_confirmed(admin, endpoint):
    admin.post(address(endpoint), choices(endpoint, number="", is_stop_accepted="on"))
    assert SmsConfiguration.objects.get().number is None


def test_a_number_that_carriers_block_is_chosen_only_knowingly(admin, endpoint):
    blocked = new_number(endpoint.organization, verification="pending")
    page = admin.post(address(endpoint), choices(endpoint, number=str(blocked.pk))).content.decode()
    assert "I know that carriers drop texts" in page
    assert SmsConfiguration.objects.get().number != blocked
    admin.post(address(endpoint), choices(endpoint, number=str(blocked.pk), is_blocked_accepted="on"))
    assert SmsConfiguration.objects.get().number == blocked


def test_the_second_number_is_another_suppliers(admin, endpoint):
    same = new_number(endpoint.organization, "+18335550188", supplier="acs")
    other = new_number(endpoint.organization)
    page = admin.post(address(endpoint), choices(endpoint, failover_number=str(same.pk))).content.decode()
    assert "another supplier" in page
    admin.post(address(endpoint), choices(endpoint, failover_number=str(other.pk)))
    assert SmsConfiguration.objects.get().failover_number == other


# --- Words ---
def test_own_words_are_stored_and_travel_with_the_approval(admin, endpoint):
    url = reverse("sms_setup:words", args=["vi"])
    admin.post(url, {"reminder": GOOD})
    assert SmsTemplate.objects.get().changed_by == "avery.reed@lamna.example.org"
    assert planning.snapshot_part(endpoint)["templates"] == {"vi": {"reminder": GOOD}}
    assert "3 of 4 texts missing" in admin.get(OVERVIEW).content.decode()


def test_words_that_are_ours_or_empty_are_not_kept(admin, endpoint):
    url = reverse("sms_setup:words", args=["en"])
    admin.post(url, {"reminder": GOOD})
    assert SmsTemplate.objects.count() == 1
    admin.post(url, {"reminder": ""})
    assert not SmsTemplate.objects.exists()


def test_words_with_a_name_or_a_diagnosis_are_refused(admin, endpoint):
    page = admin.post(reverse("sms_setup:words", args=["en"]), {"reminder": GOOD.replace("video", "oncology")})
    assert "“oncology”" in page.content.decode()
    assert not SmsTemplate.objects.exists()


def test_the_preview_shows_the_finished_text_and_its_segments(admin):
    url = reverse("sms_setup:preview", args=["en", "reminder"])
    page = admin.post(
        url, {"reminder": GOOD.replace("video visit", "vídeo \N{HEAVY BLACK HEART} visit")}
    ).content.decode()
    assert "Lamna Healthcare" in page
    assert "UCS-2" in page
    assert not SmsTemplate.objects.exists()


@pytest.mark.parametrize("language", ["xx", "zh-hans", "../en"])
def test_a_language_that_is_none_is_not_found(admin, language):
    assert admin.get(f"/setup/sms/words/{language}").status_code == 404


# --- Others ---
def test_nothing_of_another_organization_is_found(admin):
    stranger = make_organization(name="Tailspin Clinics", slug="tailspin")
    theirs = make_endpoint(stranger, with_sms=False)
    number = new_number(stranger, "+18445550199")
    order = order_of(stranger)
    assert admin.get(address(theirs)).status_code == 404
    for name in ("number", "release", "verification"):
        assert admin.post(reverse(f"sms_setup:{name}", args=[number.pk])).status_code in (404, 405)
    for name in ("cancel_order", "resume_order"):
        assert admin.post(reverse(f"sms_setup:{name}", args=[order.pk])).status_code == 404
    assert part(admin, order).status_code == 404
    assert number.number[-4:] not in admin.get(OVERVIEW).content.decode()


def test_a_number_of_another_organization_cannot_be_chosen(admin, endpoint):
    theirs = new_number(make_organization(slug="tailspin"), "+18445550199")
    admin.post(address(endpoint), choices(endpoint, number=str(theirs.pk)))
    assert SmsConfiguration.objects.get().number != theirs


def test_the_page_needs_the_same_few_queries_however_much_there_is(admin, endpoint, django_assert_max_num_queries):
    for count in range(5):
        other = make_endpoint(endpoint.organization, with_sms=False, name=f"other-{count}")
        number = new_number(endpoint.organization, f"+1844555012{count}")
        SmsConfiguration.objects.create(endpoint=other, number=number)
    with django_assert_max_num_queries(22):
        admin.get(OVERVIEW)
