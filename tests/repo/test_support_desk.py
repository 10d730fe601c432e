"""Support staff of one hospital see the facts of that hospital and of no other."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Role, User
from config_portal.models import FhirEndpoint
from core.models import AuditEvent
from hl7intake.models import InboundMessage
from sms.models import SmsConfiguration, SmsMessage
from tests.factories import make_endpoint, make_organization, make_staff, make_visit

pytestmark = pytest.mark.django_db
OURS = [
    (model, model_admin)
    for model, model_admin in admin.site._registry.items()
    if not model.__module__.startswith(("django.", "allauth."))
]


def list_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def visit():
    return make_visit()


@pytest.fixture
def stranger():
    return make_visit(make_endpoint(make_organization(name="Fabrikam Clinics")), session_id="999")


@pytest.fixture
def support(client, visit):
    client.force_login(make_staff(visit.organization, Role.SUPPORT))
    return client


@pytest.mark.parametrize(("model", "model_admin"), OURS, ids=lambda value: getattr(value, "__name__", ""))
def test_support_sees_what_belongs_to_an_organization_and_nothing_else(support, stranger, model, model_admin):
    page = support.get(list_of(model))
    assert page.status_code == (200 if getattr(model_admin, "organization_path", "") else 403)
    assert "Fabrikam" not in page.content.decode()
    assert stranger.reference not in page.content.decode()


def test_a_foreign_row_cannot_be_opened(support, visit, stranger):
    own, foreign = (reverse("admin:visits_visit_change", args=[row.pk]) for row in (visit, stranger))
    assert support.get(own).status_code == 200
    assert support.get(foreign).status_code == 302  # "does not exist"
    assert stranger.reference not in support.get(foreign, follow=True).content.decode()


def test_a_foreign_row_cannot_be_acted_on(support, visit, stranger):
    SmsMessage.objects.filter(kind="scheduled").update(state="undelivered")
    texts = SmsMessage.objects.filter(kind="scheduled")
    form = {"action": "send_again", "reason": "asked for", "_selected_action": [str(text.pk) for text in texts]}
    support.post(list_of(SmsMessage), form, follow=True)
    copies = SmsMessage.objects.filter(copy=1)
    assert [copy.visit for copy in copies] == [visit]


def test_a_text_is_sent_again_only_with_a_reason(support, visit):
    SmsMessage.objects.filter(kind="scheduled").update(state="undelivered")
    form = {"action": "send_again", "_selected_action": [str(SmsMessage.objects.get(kind="scheduled").pk)]}
    assert "write the reason" in support.post(list_of(SmsMessage), form, follow=True).content.decode()
    assert not SmsMessage.objects.filter(copy=1).exists()


def test_a_quarantined_message_is_applied_again(support, visit):
    message = InboundMessage.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, control_id="1", sha256="0" * 64, trigger="S12",
        received_at=visit.created_at, ack_code="AA", state="quarantined", raw="MSH|",
    )  # fmt: skip
    form = {"action": "replay", "_selected_action": [str(message.pk)]}
    assert "1 put back" in support.post(list_of(InboundMessage), form, follow=True).content.decode()
    message.refresh_from_db()
    assert message.state == "received"


def test_a_row_leads_to_the_visits_timeline(support, visit):
    timeline = reverse("visits:detail", args=[visit.pk])
    for model in ("visits_visit", "sms_smsmessage"):
        assert timeline in support.get(reverse(f"admin:{model}_changelist")).content.decode()
    assert support.get(timeline).status_code == 200


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST, Role.REPORT_READER])
def test_other_staff_do_not_get_in(client, visit, role):
    client.force_login(make_staff(visit.organization, role))
    assert client.get(reverse("admin:index")).status_code == 302


def test_support_of_one_hospital_who_also_reads_reports_of_another_sees_only_the_one_they_work_in(
    support, visit, stranger, django_user_model
):
    user = django_user_model.objects.get()
    user.memberships.create(organization=stranger.organization, role=Role.SUPPORT)
    page = support.get(list_of(type(visit))).content.decode()
    shown = [row.reference for row in (visit, stranger) if row.reference in page]
    assert len(shown) == 1


@pytest.mark.parametrize("person", ["support", "operator"])
def test_a_connection_is_paused_at_once_with_a_reason_and_by_name(client, visit, stranger, person):
    if person == "operator":
        client.force_login(User.objects.create_superuser("operator", password="a long enough password"))
    else:
        client.force_login(make_staff(visit.organization, Role.SUPPORT, username="support"))
    form = {"action": "pause", "_selected_action": [str(visit.endpoint_id)]}
    assert "write the reason" in client.post(list_of(FhirEndpoint), form, follow=True).content.decode()
    assert not FhirEndpoint.objects.filter(is_paused=True).exists()
    page = client.post(list_of(FhirEndpoint), {**form, "reason": "Texts name the wrong clinic"}, follow=True)
    assert "is paused" in page.content.decode()
    assert FhirEndpoint.objects.get(is_paused=True).pk == visit.endpoint_id
    event = AuditEvent.objects.get(action="endpoint.paused")
    assert (event.actor, event.data["reason"]) == (person, "Texts name the wrong clinic")
    client.force_login(make_staff(visit.organization, Role.ADMIN))
    page = client.get(reverse("portal:approval", args=[visit.endpoint_id])).content.decode()
    assert "Texts name the wrong clinic" in page
    assert f"Paused by {person}" in page


def test_a_foreign_connection_is_not_paused(support, stranger):
    form = {"action": "pause", "_selected_action": [str(stranger.endpoint_id)], "reason": "curious"}
    support.post(list_of(FhirEndpoint), form, follow=True)
    assert not FhirEndpoint.objects.filter(is_paused=True).exists()


def test_texts_of_a_connection_are_paused_at_once_with_a_reason(support, visit):
    texts = SmsConfiguration.objects.get(endpoint=visit.endpoint)
    form = {"action": "pause", "_selected_action": [str(texts.pk)]}
    assert "write the reason" in support.post(list_of(SmsConfiguration), form, follow=True).content.decode()
    support.post(list_of(SmsConfiguration), {**form, "reason": "wrong words"}, follow=True)
    texts.refresh_from_db()
    assert texts.is_paused
    assert AuditEvent.objects.get(action="sms.paused").data["reason"] == "wrong words"
