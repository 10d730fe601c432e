"""Out to Epic: the cookie comes before the launch token is spent, and only the right Epic is asked."""

from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from config_portal.models import Environment
from core.crypto import EncryptedTextField
from launch.models import LaunchAttempt, OAuthState
from tests.factories import BASE_URL, approve, make_endpoint
from tests.launch.epic import fields_of, smart_of
from tests.launch.pages import code_of, heading

PRODUCTION_URL = "https://fhir.lamna.example.org/production/api/FHIR/R4"


def test_the_browser_posts_the_launch_to_epic_with_proof_key_state_and_nonce(launch, endpoint, epic):
    sent = launch().begin(launch="x" * 9_000).sent
    assert sent["launch"] == "x" * 9_000
    assert sent["aud"] == BASE_URL
    assert sent["client_id"] == "provider-app"
    assert sent["scope"] == "launch openid fhirUser profile"
    assert sent["code_challenge_method"] == "S256"
    assert sent["redirect_uri"] == f"http://localhost:8000/launch/provider/{endpoint.launch_id}/callback"
    assert len(sent["state"]) >= 43
    assert epic.received == []


@pytest.mark.parametrize("iss", ["https://FHIR.Lamna.Example.ORG/interconnect/api/FHIR/R4", f"{BASE_URL}/"])
def test_the_case_of_the_host_and_a_trailing_slash_do_not_matter(launch, iss):
    assert launch().begin(iss=iss).sent["aud"] == BASE_URL


@pytest.mark.parametrize(
    "iss",
    [
        BASE_URL.replace("example.org", "example.org.evil.test"),
        "https://fhir.other.example.org/api/FHIR/R4",
        BASE_URL.replace("/R4", "/r4"),
        "https://[",
        "",
    ],
)
def test_another_epic_is_refused_without_a_call(launch, epic, iss):
    page = launch().open(iss=iss)
    assert page.status_code == 400
    assert code_of(page) == "launch.wrong_issuer"
    assert epic.received == []
    assert not LaunchAttempt.objects.exists()


def test_the_wrong_environment_is_named(launch, endpoint):
    make_endpoint(endpoint.organization, environment=Environment.PRODUCTION, base_url=PRODUCTION_URL)
    page = launch().open(iss=PRODUCTION_URL)
    assert page.status_code == 400
    assert heading(page) == "Wrong environment"
    assert "This is the test record of the connector, and it was opened from production Epic." in page.content.decode()
    assert code_of(page) == "launch.wrong_environment"


def test_a_launch_without_a_token_is_refused(launch):
    assert code_of(launch().open(launch="")) == "launch.incomplete"


def test_a_paused_endpoint_is_refused(launch, endpoint):
    endpoint.is_paused = True
    endpoint.save()
    page = launch().open()
    assert page.status_code == 503
    assert code_of(page) == "endpoint.paused"


@pytest.mark.django_db
@pytest.mark.parametrize("audience", ["provider", "patient"])
def test_an_unknown_record_is_not_found(client, audience):
    pages = [client.get(f"/launch/{audience}/{uuid4()}", {"iss": BASE_URL}, secure=True) for _ in range(2)]
    assert {page.status_code for page in pages} == {404}
    assert {code_of(page) for page in pages} == {"launch.unknown_record"}


def test_the_launch_cookie_has_every_protection(launch):
    begun = launch().begin()
    cookie = begun.browser.cookies["__Host-lx"]
    header = cookie.OutputString()
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert part in header.split("; ")
    assert "Domain" not in header


def test_a_second_launch_keeps_the_cookie_and_gives_it_more_time(launch):
    first = launch().begin()
    value = first.browser.cookies["__Host-lx"].value
    second = launch(browser=first.browser).begin()
    assert second.browser.cookies["__Host-lx"].value == value


def test_a_cookie_that_is_not_ours_does_not_count(launch):
    begun = launch()
    begun.browser.cookies["__Host-lx"] = "x"
    page = begun.browser.post(begun.address, {"iss": BASE_URL, "launch": "canary"}, secure=True)
    assert heading(page) == "Open your visit in a new window"


def test_without_the_cookie_a_new_window_is_offered_and_the_launch_is_not_spent(launch, epic):
    blocked = launch()
    page = blocked.browser.post(blocked.address, {"iss": BASE_URL, "launch": "canary launch&token"}, secure=True)
    assert page.status_code == 200
    assert heading(page) == "Open your visit in a new window"
    assert f'href="{blocked.address}?iss=https%3A%2F%2Ffhir.lamna' in page.content.decode()
    assert "launch=canary+launch%26token" in page.content.decode()
    assert epic.received == []
    assert not OAuthState.objects.exists()
    assert epic.url not in page.content.decode()


def test_a_window_of_its_own_that_keeps_no_cookie_either_is_told_to_allow_them(launch):
    blocked = launch()
    given = fields_of(
        blocked.browser.get(blocked.address, {"iss": BASE_URL, "launch": "a", "window": "1"}, secure=True)
    )
    page = Client().post(blocked.address, given, secure=True)
    assert page.status_code == 403
    assert code_of(page) == "launch.no_cookies"


def test_state_cookie_verifier_and_nonce_are_not_in_the_database_in_clear(launch):
    begun = launch().begin()
    stored = OAuthState.objects.get()
    cookie = begun.browser.cookies["__Host-lx"].value
    raw = str(OAuthState.objects.values_list("state_digest", "cookie_digest").get())
    assert begun.sent["state"] not in raw
    assert cookie not in raw
    assert stored.nonce == begun.sent["nonce"]
    for name in ("nonce", "code_verifier"):
        assert isinstance(OAuthState._meta.get_field(name), EncryptedTextField)
    assert _as_stored() == []


def _as_stored() -> list[str]:
    state = OAuthState.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM launch_oauthstate t")
        (row,) = cursor.fetchone()
    return [secret for secret in (state.nonce, state.code_verifier) if secret in row]


def test_the_page_may_be_framed_by_the_approved_epic_only_and_post_to_epic(launch, epic):
    page = launch().open()
    policy = page["Content-Security-Policy"]
    assert "frame-ancestors https://hyperspace.lamna.example.org" in policy
    assert "X-Frame-Options" not in page
    assert epic.url in policy.split("form-action")[1].split(";")[0]


def test_a_launch_with_somewhere_else_to_go_goes_to_epic_all_the_same(launch, endpoint):
    begun = launch()
    query = {"iss": BASE_URL, "launch": "a", "next": "https://evil.test", "redirect_uri": "https://evil.test"}
    page = begun.browser.post(begun.address, query, secure=True)
    assert "evil.test" not in page.content.decode()
    page = begun.browser.get(begun.address, query, secure=True)
    assert "evil.test" not in page.content.decode()
    sent = fields_of(begun.browser.post(begun.address, {**fields_of(page), **query}, secure=True))
    assert urlsplit(sent["redirect_uri"]).netloc == "localhost:8000"


def test_a_spanish_browser_reads_english_as_a_provider_and_spanish_as_a_patient(launch):
    spanish = {"headers": {"accept-language": "es-US,es;q=0.9"}}
    provider = launch("provider", browser=Client(**spanish))
    patient = launch("patient", browser=Client(**spanish))
    query = {"iss": BASE_URL, "launch": "a"}
    assert heading(provider.browser.get(provider.address, query, secure=True)) == "Opening your visit"
    page = patient.browser.get(patient.address, query, secure=True)
    assert heading(page) == "Abriendo su consulta"
    assert '<html lang="es"' in page.content.decode()


def test_an_epic_that_wants_a_link_gets_one(launch, endpoint, epic):
    endpoint.authorize_method = "GET"
    endpoint.save()
    smart = smart_of(epic)
    approve(endpoint, smart=replace(smart, authorization_endpoint=f"{smart.authorization_endpoint}?site=lamna"))
    page = launch().open()
    assert '<form method="get"' in page.content.decode()
    assert fields_of(page).items() >= {"site": "lamna", "launch": "launch-token", "response_type": "code"}.items()


def test_the_switch_to_a_link_waits_for_the_approval(launch, endpoint):
    endpoint.authorize_method = "GET"
    endpoint.save()
    assert '<form method="post" action="http' in launch().open().content.decode()
