import pytest
from django.test import RequestFactory
from django.urls import reverse

from core import metrics

pytestmark = pytest.mark.django_db


def test_this_machine_may_ask_while_there_is_no_token(client):
    answer = client.get(reverse("metrics"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "options",
    [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, {"HTTP_FORWARDED": "for=192.0.2.7"}],
)
def test_others_may_not_nor_a_proxy_on_this_machine_for_them(client, options):
    assert client.get(reverse("metrics"), **options).status_code == 403


@pytest.mark.parametrize(("given", "status"), [("Bearer s3cret", 200), ("Bearer wrong", 403), ("", 403)])
def test_with_a_token_only_the_token_counts(client, settings, given, status):
    settings.METRICS_TOKEN = "s3cret"
    assert client.get(reverse("metrics"), HTTP_AUTHORIZATION=given).status_code == status


def test_a_token_that_is_no_ascii_is_refused_and_breaks_nothing(settings):
    settings.METRICS_TOKEN = "s3cret"
    request = RequestFactory().get("/metrics", HTTP_AUTHORIZATION="Bearer é")
    assert not metrics.is_allowed(request)
