import pytest
from django.utils import timezone

from config_portal import signals, snapshot
from config_portal.models import ConfigurationVersion
from config_portal.services.approval import approve_configuration
from config_portal.services.connections import approved_configuration, epic_connection
from core.errors import ConfigurationError
from core.models import AuditEvent
from epic.connection import Audience
from tests.factories import BASE_URL, SMART, approve, make_endpoint

pytestmark = pytest.mark.django_db


def test_nothing_runs_before_the_first_approval():
    with pytest.raises(ConfigurationError, match=r"endpoint\.not_approved"):
        approved_configuration(make_endpoint(approved=False))


def test_what_runs_is_what_was_approved_and_not_the_draft():
    endpoint = make_endpoint()
    endpoint.base_url = "https://elsewhere.example.org/api/FHIR/R4"
    endpoint.provider_client_id = "changed"
    endpoint.save()
    connection = epic_connection(endpoint, Audience.PROVIDER)
    assert (connection.fhir_base_url, connection.client_id) == (BASE_URL, "provider-app")


def test_a_second_approval_replaces_the_first_and_keeps_it():
    endpoint = make_endpoint()
    endpoint.provider_client_id = "changed"
    endpoint.save()
    approve(endpoint)
    assert epic_connection(endpoint, Audience.PROVIDER).client_id == "changed"
    assert list(ConfigurationVersion.objects.values_list("number", flat=True)) == [2, 1]


def test_a_change_after_the_page_was_opened_voids_the_approval():
    endpoint = make_endpoint(approved=False)
    with pytest.raises(ConfigurationError, match=r"approval\.changed_meanwhile"):
        approve_configuration(endpoint, smart=SMART, seen_digest="0" * 64, approved_by="dana", now=timezone.now())
    assert not ConfigurationVersion.objects.exists()


def test_an_approval_is_audited_and_announced():
    heard = []

    def hear(**news):
        heard.append(news["version"].number)

    signals.configuration_approved.connect(hear)
    make_endpoint()
    signals.configuration_approved.disconnect(hear)
    assert heard == [1]
    assert AuditEvent.objects.get(action="configuration.approved").data["number"] == 1


def test_pausing_works_at_once():
    endpoint = make_endpoint()
    endpoint.is_paused = True
    with pytest.raises(ConfigurationError, match=r"endpoint\.paused"):
        approved_configuration(endpoint)


def test_the_digest_does_not_depend_on_the_order_of_keys():
    assert snapshot.digest({"a": 1, "b": [2]}) == snapshot.digest({"b": [2], "a": 1})
    assert snapshot.digest({"a": 1}) != snapshot.digest({"a": 2})


def test_an_approval_covers_the_texts_too():
    endpoint = make_endpoint()
    assert approved_configuration(endpoint).part("sms")["number"] == "+18335550142"
    assert approved_configuration(endpoint).part("nothing of this name") == {}


def test_a_missing_client_id_is_named():
    endpoint = make_endpoint(backend_client_id="")
    with pytest.raises(ConfigurationError, match=r"endpoint\.client_id_missing"):
        epic_connection(endpoint, Audience.BACKEND)
