"""What the benchmark measures with looks like real organizations."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.models import User
from config_portal.models import FhirEndpoint, Organization

pytestmark = pytest.mark.django_db


def test_seeded_organizations_have_everything_the_pages_show(client):
    call_command("seed_portal", "--organizations", "4", "--endpoints", "10")
    assert Organization.objects.count() == 4
    assert FhirEndpoint.objects.exclude(approved_version=None).count() == 5
    client.force_login(User.objects.get())
    for name in ("setup", "endpoints", "keys", "preflights"):
        assert client.get(reverse(f"portal:{name}")).status_code == 200
    call_command("seed_portal")
    assert Organization.objects.count() == 4
