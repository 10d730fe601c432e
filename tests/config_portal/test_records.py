"""Integration records: what they say, as pages, files and sheets, and how they compare with Epic's."""

import csv
import html
import io
import json
import re

import pytest
from django.urls import reverse

from accounts.models import Role
from config_portal.models import FhirEndpoint
from config_portal.records import records_of
from config_portal.services import drift
from config_portal.services.drift import Finding
from core.models import AuditEvent
from launch.records import CONTEXTS
from tests.factories import make_endpoint, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_endpoint(departments=["LMFM"])


@pytest.fixture
def analyst(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ANALYST))
    return client


def record(endpoint, kind):
    return next(found for found in records_of(endpoint) if found.kind == kind)


def value(endpoint, kind, name):
    return next(field.value for field in record(endpoint, kind).fields if field.name == name)


def compare(endpoint, kind, text, others=None):
    return drift.compare(record(endpoint, kind), text, others=others or {})


def test_every_record_is_there_once_something_is_approved(endpoint):
    assert [found.kind for found in records_of(endpoint)] == [
        "apps", "patient", "provider", "patient_group", "provider_group", "direct_sms", "sms_configuration",
        "device_test",
    ]  # fmt: skip


def test_before_the_approval_there_is_only_what_epic_needs_earlier():
    assert [found.kind for found in records_of(make_endpoint(approved=False))] == ["apps"]


@pytest.mark.parametrize(
    ("kind", "context"),
    [
        ("patient", "sessionId=%CSN%&conferenceId=%CONFERENCEID%"),
        (
            "provider",
            "sessionId=%CSN%&conferenceId=%CONFERENCEID%&userId=%EPICUSERID%&departmentId=%PERFDEPID;;; ; ;;NONE;%",
        ),
        ("patient_group", "sessionId=%CONFERENCEID%&csn=%CSN%"),
        (
            "provider_group",
            "sessionId=%CONFERENCEID%&csn=%CSN%&userId=%EPICUSERID%&departmentId=%PERFDEPID;;; ; ;;NONE;%",
        ),
    ],
)
def test_contexts_name_the_visit_or_the_conference(endpoint, kind, context):
    assert value(endpoint, kind, "Context") == context


def test_the_patient_record_carries_the_device_tests_context_too(endpoint):
    inside = value(endpoint, "patient", "DeviceTestContext")
    assert inside == value(endpoint, "device_test", "Context") == CONTEXTS["device_test"]


def test_records_say_what_was_approved_and_not_the_draft(endpoint):
    FhirEndpoint.objects.update(provider_client_id="draft", departments=["OTHER"])
    endpoint = FhirEndpoint.objects.get()
    assert value(endpoint, "provider", "ClientID") == "provider-app"
    assert value(endpoint, "sms_configuration", "Departments") == "LMFM"


def test_launch_addresses_are_those_that_answer(endpoint, client):
    address = value(endpoint, "provider", "URL")
    assert address.endswith(f"/launch/provider/{endpoint.launch_id}")
    assert client.get(address.removeprefix("http://testserver"), secure=True).status_code == 200


def test_page_and_files_have_the_same_values_byte_for_byte(analyst, endpoint):
    expected = [field.value for found in records_of(endpoint) for field in found.fields]
    page = analyst.get(reverse("portal:records", args=[endpoint.pk])).content.decode()
    assert [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', page)] == expected
    assert [html.unescape(text) for text in re.findall(r'<code class="code">(.*?)</code>', page)] == expected
    read = {
        kind: analyst.get(reverse("portal:records_file", args=[endpoint.pk, kind])) for kind in ("txt", "csv", "json")
    }
    assert [row["value"] for row in csv.DictReader(io.StringIO(read["csv"].content.decode()))] == [
        f"'{text}" if text.startswith("+") else text for text in expected
    ]
    listed = json.loads(read["json"].content)["records"]
    assert [field["value"] for found in listed for field in found["fields"]] == expected
    text = read["txt"].content.decode()
    assert all(f": {value}\n" in text for value in expected)
    names = {answer.headers["Content-Disposition"] for answer in read.values()}
    assert f'attachment; filename="integration-records-test-{endpoint.name}.txt"' in names


def test_another_kind_of_file_is_not_found(analyst, endpoint):
    assert analyst.get(reverse("portal:records_file", args=[endpoint.pk, "xlsx"])).status_code == 404


def test_the_sheet_to_print_names_environment_version_and_every_value(analyst, endpoint):
    page = html.unescape(analyst.get(reverse("portal:hand_over", args=[endpoint.pk])).content.decode())
    assert "<strong>TEST</strong>" in page
    assert endpoint.approved_version.digest in page
    assert all(field.value in page for found in records_of(endpoint) for field in found.fields)


def test_with_one_connection_the_list_leads_to_it(analyst, endpoint):
    assert analyst.get(reverse("portal:records_overview")).url == reverse("portal:records", args=[endpoint.pk])
    make_endpoint(endpoint.organization, name="second")
    assert "second" in analyst.get(reverse("portal:records_overview")).content.decode()


# --- Paste back -----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["txt", "csv", "json"])
def test_our_own_files_pasted_back_are_the_same(analyst, endpoint, kind):
    text = analyst.get(reverse("portal:records_file", args=[endpoint.pk, kind])).content.decode()
    for found in records_of(endpoint):
        report = drift.compare(found, text, others={})
        assert report.is_same, (found.kind, [field for field in report.fields if field.finding != Finding.SAME])


@pytest.mark.parametrize(
    "text",
    [
        "URL\t{url}\nClientID\tprovider-app\nLaunchtype\t6\nContext\t{context}",
        "Launch URL = {url}\nClient ID = provider-app\nLaunch type = 6\nContext tokens = {context}",
        '"URL": "{url}",\n"clientid": "provider-app",\n"LAUNCHTYPE": "6",\n"Context": "{context}"',
        "{url}\nClientID: provider-app\nLaunchtype: 6\n{context}",
    ],
)
def test_a_screen_of_epic_is_read_in_several_forms(endpoint, text):
    filled = text.format(url=value(endpoint, "provider", "URL"), context=value(endpoint, "provider", "Context"))
    assert compare(endpoint, "provider", filled).is_same


def test_the_order_and_case_of_context_tokens_do_no_harm(endpoint):
    report = compare(endpoint, "patient", "Context: CONFERENCEID=%CONFERENCEID%&SESSIONID=%CSN%")
    context = next(field for field in report.fields if field.name == "Context")
    assert context.finding == Finding.SAME
    assert "another order" in context.hint


@pytest.mark.parametrize(
    ("kind", "text", "hint"),
    [
        ("patient", "Context: sessionId=%CSN%", "conferenceId is missing. Without it Epic is not told who connected."),
        ("patient", "Context: sessionId=%CONFERENCEID%&csn=%CSN%", "that is the context of a group visit"),
        ("patient_group", "Context: sessionId=%CSN%&csn=%CSN%", "that is the context of a visit of one patient"),
        ("provider", "ClientID: PROVIDER-APP", "Only upper and lower case differ"),
        ("provider", "ClientID: old-app", "Copy the value from here into Epic."),
        ("provider", "URL: https://other.example.org/launch", "It leads to other.example.org instead of"),
        ("provider", "", "Context was not pasted, or the record has none."),
    ],
)
def test_a_difference_is_explained(endpoint, kind, text, hint):
    report = compare(endpoint, kind, text)
    assert not report.is_same
    assert any(hint in field.hint for field in report.fields), [field.hint for field in report.fields]


def test_the_record_of_another_connection_is_recognized(endpoint):
    other = make_endpoint(endpoint.organization, environment="production", name="lamna-main")
    report = compare(
        endpoint,
        "provider",
        f"URL: {value(other, 'provider', 'URL')}",
        {str(other.launch_id): "production, lamna-main"},
    )
    assert "This is the address of another connection: production, lamna-main." in report.fields[0].hint


def test_the_report_shows_which_words_differ_and_stores_nothing_that_was_pasted(analyst, endpoint):
    page = analyst.post(
        reverse("portal:records", args=[endpoint.pk]),
        {"kind": "patient", "text": "Context: sessionId=%CSN%&conferenceId=%CONFERENCE%"},
    ).content.decode()
    assert "<ins>CONFERENCEID</ins>" in page
    assert "<del>CONFERENCE</del>" in page
    event = AuditEvent.objects.get(action="records.compared")
    assert event.data == {"record": "patient", "differing": 5}


def test_nothing_or_too_much_pasted_is_said_at_the_field(analyst, endpoint):
    address = reverse("portal:records", args=[endpoint.pk])
    assert "There is a problem" in analyst.post(address, {"kind": "patient", "text": ""}).content.decode()
    assert "There is a problem" in analyst.post(address, {"kind": "patient", "text": "x" * 20_001}).content.decode()
    assert "There is a problem" in analyst.post(address, {"kind": "other", "text": "x"}).content.decode()


@pytest.mark.parametrize(
    "text", ["[" * 5000, '{"records": [1]}', "record,field,value\n\x00", ":::\n===\n\t\t", "%" * 9000]
)
def test_whatever_is_pasted_gives_a_report(endpoint, text):
    assert compare(endpoint, "provider", text).differing == 4
