"""Approving in the portal: what is shown, what proves the approver, what voids an approval."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg import sql

from accounts.models import Role
from accounts.signals import staff_signed_in
from config_portal.models import ApprovalRequest, ConfigurationVersion, EpicSignIn
from config_portal.services.connections import approved_configuration, epic_connection
from core.errors import ConfigurationError
from core.models import AuditEvent
from epic.connection import Audience
from sms.models import SmsConfiguration
from tests.config_portal.approving import (
    DANA,
    FHIR,
    Desk,
    change,
    fresh,
    make_unapproved,
    snapshot_digest,
)
from tests.factories import TENANT_ID, make_organization

pytestmark = pytest.mark.django_db


# --- The way through ------------------------------------------------------------------------------
def test_an_approver_signs_in_to_epic_and_approves_and_it_runs(dana, epic):
    page = dana.look()
    assert "This is the first approval of this connection: everything is new." in page
    assert "Approve test Epic" not in page  # nothing to press before the sign-in
    assert "Signed in" in dana.sign_in_to_epic()
    dana.look()
    answer = dana.approve()
    assert answer.url == dana.url("records")
    version = ConfigurationVersion.objects.get()
    assert (version.number, version.approved_by, version.is_self_approved) == (1, DANA, False)
    assert (version.epic_issuer, version.epic_subject) == (f"{epic.url}/oauth2", "Practitioner/eP.dana")
    assert version.approver_object_id == dana.user.entra_object_id
    assert epic_connection(fresh(dana.endpoint), Audience.PROVIDER).fhir_base_url == f"{epic.url}{FHIR}"


def test_the_sign_in_uses_pkce_and_asks_for_nothing_but_who_it_is(dana, epic):
    dana.go_to_epic()
    assert dana.sent["scope"] == "openid fhirUser profile"
    assert (dana.sent["code_challenge_method"], dana.sent["aud"]) == ("S256", f"{epic.url}{FHIR}")
    dana.epic_answers()
    dana.come_back()
    form = epic.calls("/oauth2/token")[0].form
    assert form["code_verifier"]
    assert form["redirect_uri"] == dana.sent["redirect_uri"]


def test_of_epics_answer_only_issuer_subject_and_time_are_kept(dana):
    dana.go_through()
    with connection.cursor() as cursor:
        for table in ("config_portal_epicsignin", "config_portal_configurationversion", "core_auditevent"):
            cursor.execute(sql.SQL("SELECT row_to_json(kept)::text FROM {} AS kept").format(sql.Identifier(table)))
            text = " ".join(row[0] for row in cursor.fetchall())
            assert "canary" not in text
            assert "eyJ" not in text
            assert "eP.dana" not in text  # the subject is encrypted


def test_a_later_approval_shows_what_was_and_what_is_now(dana, approved):
    change(approved, visit_types=["VV30", "VGRP60", "TELE15"])
    page = dana.look()
    assert "Changes not approved" in page
    assert "Visit types that are virtual" in page
    assert "VV30, VGRP60<ins>, TELE15</ins>" in " ".join(page.split())
    assert "FHIR base URL</th>" not in page  # only what differs
    dana.go_through()
    assert fresh(approved).approved_version.number == 2


def test_nothing_is_asked_when_nothing_changed(dana, approved):
    page = dana.look()
    assert "Nothing waits for an approval" in page
    assert "Sign in to test Epic" not in page


# --- What voids it --------------------------------------------------------------------------------
def test_a_change_between_view_and_approval_gives_409_and_the_new_difference(dana, approved):
    change(approved, provider_client_id="second")
    dana.look()
    dana.sign_in_to_epic()
    dana.look()
    change(approved, provider_client_id="third")
    answer = dana.approve()
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 409
    assert "Changed since you opened this page" in page
    assert "<del>second</del>" in page
    assert "<ins>third</ins>" in page
    assert fresh(approved).approved_version.number == 1
    dana.look()
    assert dana.approve().status_code == 302
    assert fresh(approved).approved_version.snapshot["endpoint"]["provider_client_id"] == "third"


def test_sending_the_same_approval_twice_approves_once(dana):
    dana.look()
    dana.sign_in_to_epic()
    dana.look()
    assert [dana.approve().status_code, dana.approve().status_code] == [302, 302]
    assert ConfigurationVersion.objects.count() == 1


def test_a_made_up_digest_approves_nothing(dana):
    dana.sign_in_to_epic()
    assert dana.approve("0" * 64).status_code == 409
    assert not ConfigurationVersion.objects.exists()


def test_without_the_sign_in_to_epic_nothing_is_approved(dana, approved):
    change(approved, provider_client_id="second")
    dana.sign_in_to_epic()
    dana.look()
    EpicSignIn.objects.update(used_for=None, signed_in_at=None)
    answer = dana.approve()
    assert answer.status_code == 422
    assert "Sign in to this Epic first" in answer.content.decode()


def test_a_sign_in_older_than_five_minutes_does_not_count(dana):
    dana.look()
    dana.sign_in_to_epic()
    dana.look()
    EpicSignIn.objects.update(signed_in_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert dana.approve().status_code == 422
    EpicSignIn.objects.update(signed_in_at=timezone.now() - timedelta(minutes=4, seconds=50))
    assert dana.approve().status_code == 302


def test_a_sign_in_counts_for_one_approval(dana, approved):
    change(approved, provider_client_id="second")
    dana.look()
    assert dana.approve().status_code == 422  # the earlier sign-in is used up
    assert "First sign in to Epic" in dana.look()


def test_a_sign_in_to_another_base_url_does_not_count(dana, epic, approved):
    other = Desk(epic, make_unapproved(epic, approved.organization, name="other"), dana.user, browser=dana.browser)
    staff_signed_in.send(sender=type(dana.user), user=dana.user, roles={Role.ANALYST}, tenant_id=TENANT_ID)
    change(approved, provider_client_id="second")
    assert "Signed in" in other.sign_in_to_epic()
    assert dana.approve(snapshot_digest(approved)).status_code == 422


def test_a_base_url_changed_after_the_sign_in_voids_it(dana, epic):
    dana.look()
    dana.sign_in_to_epic()
    change(dana.endpoint, base_url=f"{epic.url}/other/api/FHIR/R4")
    assert dana.approve(snapshot_digest(dana.endpoint)).status_code == 422


# --- The way back from Epic -----------------------------------------------------------------------
def test_another_browser_of_the_same_person_cannot_finish_the_sign_in(dana, epic):
    dana.go_to_epic()
    dana.epic_answers()
    elsewhere = Client()
    elsewhere.force_login(dana.user)
    page = dana.come_back(browser=elsewhere).content.decode()
    assert "was used, is too old, or was begun elsewhere" in page
    assert epic.calls("/oauth2/token") == []


def test_somebody_elses_return_is_no_sign_in(dana, avery, epic):
    dana.go_to_epic()
    dana.epic_answers()
    assert "begun elsewhere" in dana.come_back(browser=avery.browser).content.decode()


def test_a_return_counts_once_and_for_ten_minutes(dana, epic):
    dana.sign_in_to_epic()
    assert "was used" in dana.come_back().content.decode()
    dana.go_to_epic()
    EpicSignIn.objects.filter(returned_at=None).update(begun_at=timezone.now() - timedelta(minutes=10))
    dana.epic_answers()
    assert "is too old" in dana.come_back().content.decode()
    assert len(epic.calls("/oauth2/token")) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"error": "access_denied", "code": ""}, "Epic did not sign you in."),
        ({"iss": "https://evil.example.org"}, "another Epic than the one asked"),
    ],
)
def test_what_is_no_sign_in_is_explained_with_a_reference(dana, changes, words):
    dana.go_to_epic()
    dana.epic_answers()
    page = dana.come_back(**changes).content.decode()
    assert words in page
    assert f"(Reference {AuditEvent.objects.get(action='approval.refused').reference})" in page


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"nonce": "another"}, "could not be verified"),
        ({"aud": "patient-app"}, "could not be verified"),
        ({"iss": "https://evil.example.org"}, "could not be verified"),
        ({"exp": 1}, "could not be verified"),
        ({"sub": "Patient/eX.rivera"}, "Epic names a patient"),
    ],
)
def test_an_id_token_that_does_not_hold_is_no_sign_in(dana, claims, words):
    assert words in dana.sign_in_to_epic(**claims)
    assert not EpicSignIn.objects.exclude(signed_in_at=None).exists()


def test_an_epic_that_is_away_is_explained_and_nothing_is_lost(dana, epic):
    dana.look()
    epic.replace(f"{FHIR}/.well-known/smart-configuration", {}, status=500)
    epic.replace(f"{FHIR}/metadata", {}, status=500)
    page = dana.browser.post(dana.url("approval_epic"), follow=True).content.decode()
    assert "You are not signed in to Epic." in page


# --- Asking, sending back -------------------------------------------------------------------------
def test_an_administrator_asks_and_the_pages_say_whom_it_waits_for(avery, dana):
    avery.browser.post(avery.url("ask_approval"))
    avery.browser.post(avery.url("ask_approval"))
    assert ApprovalRequest.objects.count() == 1
    assert f"Waiting for {DANA}" in avery.look()
    assert f"Waiting for {DANA}" in avery.browser.get(reverse("portal:setup")).content.decode()
    assert dana.browser.post(avery.url("ask_approval")).status_code == 403


def test_sent_back_with_a_reason_that_stays_until_something_changes(dana, avery):
    avery.browser.post(avery.url("ask_approval"))
    dana.look()
    answer = dana.browser.post(
        dana.url("send_back"),
        {"digest": snapshot_digest(dana.endpoint), "reason": "The backend app is the one of the old build."},
    )
    assert answer.status_code == 302
    assert "The backend app is the one of the old build." in avery.look()
    assert "Read the reason" in avery.browser.get(reverse("portal:setup")).content.decode()
    change(dana.endpoint, backend_client_id="new-build")
    assert "one of the old build" not in avery.look()
    assert not ConfigurationVersion.objects.exists()


def test_without_a_reason_nothing_is_sent_back(dana):
    page = dana.browser.post(dana.url("send_back"), {"digest": snapshot_digest(dana.endpoint), "reason": " "})
    text = page.content.decode()
    assert "There is a problem" in text
    assert "<title>Error: " in " ".join(text.split())
    assert not ApprovalRequest.objects.exists()


def test_nobody_sends_back_what_they_were_not_shown(dana):
    answer = dana.browser.post(dana.url("send_back"), {"digest": "0" * 64, "reason": "x"})
    assert answer.status_code == 409


# --- At once --------------------------------------------------------------------------------------
def test_pausing_and_taking_back_act_at_once_and_need_no_approval(dana, approved):
    dana.browser.post(dana.url("pause"), {"paused": "yes"})
    with pytest.raises(ConfigurationError, match=r"endpoint\.paused"):
        approved_configuration(fresh(approved))
    dana.browser.post(dana.url("pause"), {"paused": "no"})
    assert approved_configuration(fresh(approved))
    dana.browser.post(dana.url("revoke"), {"reason": "Wrong Epic"})
    with pytest.raises(ConfigurationError, match=r"endpoint\.not_approved"):
        approved_configuration(fresh(approved))
    actions = list(AuditEvent.objects.filter(subject_id=str(approved.pk)).values_list("action", flat=True))
    assert actions[-3:] == ["endpoint.paused", "endpoint.resumed", "approval.withdrawn"]


# --- Back to an earlier version -------------------------------------------------------------------
def test_an_earlier_version_runs_again_through_the_same_approval(dana, approved, avery):
    change(approved, provider_client_id="broken")
    dana.go_through()
    avery.browser.post(avery.url("restore", 1))
    endpoint = fresh(approved)
    assert endpoint.provider_client_id == "provider-app"
    assert endpoint.approved_version.number == 2  # nothing runs that was not approved
    dana.go_through()
    version = fresh(approved).approved_version
    assert (version.number, version.restores_number) == (3, 1)
    assert "like version 1" in dana.look()


def test_restoring_brings_the_texts_back_and_leaves_the_organization_as_it_is(dana, approved, avery):
    SmsConfiguration.objects.update(reminder_minutes=[10])
    approved.organization.name = "Lamna Health"
    approved.organization.save()
    page = avery.browser.post(avery.url("restore", 1), follow=True).content.decode()
    assert SmsConfiguration.objects.get().reminder_minutes == [1440, 120]
    assert fresh(approved).organization.name == "Lamna Health"
    assert "They take effect when they are approved." in page


def test_a_version_page_says_what_proves_it(dana, approved):
    page = dana.browser.get(dana.url("version", 1)).content.decode()
    assert approved.approved_version.digest in page
    assert f"Sign-in to Epic, {dana.peer.url}/oauth2" in page
    assert str(dana.user.entra_object_id) in page


# --- Tenancy --------------------------------------------------------------------------------------
def test_a_foreign_endpoint_is_not_found_on_any_page(epic, endpoint, dana):
    stranger = make_unapproved(epic, make_organization(name="Tailspin Clinics"), name="tailspin")
    desk = Desk(epic, stranger, dana.user, browser=dana.browser)
    gets = ["approval", "records", "hand_over"]
    posts = ["approve", "send_back", "pause", "revoke", "approval_epic"]
    assert {desk.browser.get(desk.url(name)).status_code for name in gets} == {404}
    assert {desk.browser.post(desk.url(name)).status_code for name in posts} == {404}
    callback = reverse("portal:approval_callback", args=[stranger.launch_id])
    assert desk.browser.get(callback, {"state": "x"}).status_code == 404
    assert "tailspin" not in desk.browser.get(reverse("portal:approvals")).content.decode()


def test_the_list_takes_the_same_queries_for_any_number_of_connections(
    epic, endpoint, avery, django_assert_max_num_queries
):
    for number in range(12):
        make_unapproved(epic, endpoint.organization, name=f"more-{number}")
    with django_assert_max_num_queries(10):
        assert avery.browser.get(reverse("portal:approvals")).content.decode().count("more-") >= 12
