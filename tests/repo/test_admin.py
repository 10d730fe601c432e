"""Django admin shows facts to support staff and lets nobody rewrite them."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import User
from core import audit

pytestmark = pytest.mark.django_db
OURS = [
    (model, model_admin)
    for model, model_admin in admin.site._registry.items()
    if not model.__module__.startswith(("django.", "allauth."))
]


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long enough password"))
    return client


@pytest.mark.parametrize(("model", "model_admin"), OURS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_list_opens_and_offers_no_deletion(operator, rf, model, model_admin):
    page = operator.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    assert page.status_code == 200
    request = rf.get("/")
    request.user = User.objects.get(username="operator")
    assert not model_admin.has_delete_permission(request)


def test_a_reference_leads_to_its_audit_event(operator):
    audit.record("request.refused", reference="K7M-2XQ9", code="launch.wrong_issuer")
    audit.record("request.refused", reference="WWW-2222", code="other")
    page = operator.get(reverse("admin:core_auditevent_changelist"), {"q": "K7M-2XQ9"}).content.decode()
    assert "1 audit event" in page


def test_staff_of_a_hospital_do_not_get_in(client, django_user_model):
    client.force_login(django_user_model.objects.create(username="avery.reed@lamna.example.org"))
    assert client.get("/admin/").status_code == 302
