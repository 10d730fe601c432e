"""Who may approve: the account that was named, as Entra knows it at that very moment, and nobody else."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from accounts.signals import staff_signed_in
from config_portal.models import ApproverBinding, ConfigurationVersion, Membership
from config_portal.services import intents
from config_portal.services.approval import approve
from config_portal.services.approvers import Approver
from core.errors import ConfigurationError
from core.models import AuditEvent
from tests.config_portal.approving import DANA, Desk, change, make_approver, snapshot_digest
from tests.entra import TENANT
from tests.factories import TENANT_ID, make_staff

pytestmark = pytest.mark.django_db


def test_somebody_who_is_not_named_cannot_approve_by_any_way(dana, avery):
    dana.look()
    page = avery.look()
    assert f"Only {DANA} approves this connection." in page
    avery.sign_in_to_epic()
    assert avery.approve(snapshot_digest(avery.endpoint)).status_code == 422
    assert not ConfigurationVersion.objects.exists()
    refused = AuditEvent.objects.get(action="approval.refused")
    assert (refused.data["code"], refused.data["reason"]) == ("approval.not_allowed", "not_named")


def test_the_account_that_signs_in_first_under_the_name_is_bound(endpoint):
    user = make_staff(endpoint.organization, Role.ANALYST, username=DANA)
    staff_signed_in.send(sender=type(user), user=user, roles={Role.ANALYST}, tenant_id=TENANT_ID)
    binding = ApproverBinding.objects.get()
    assert (binding.username, binding.tenant_id, binding.object_id) == (DANA, TENANT_ID, user.entra_object_id)


def test_signing_in_from_another_tenant_binds_nobody(endpoint):
    user = make_staff(endpoint.organization, Role.ANALYST, username=DANA)
    staff_signed_in.send(sender=type(user), user=user, roles={Role.ANALYST}, tenant_id=user.pk)
    assert not ApproverBinding.objects.exists()


def test_an_approver_named_after_signing_in_is_asked_to_sign_in_again(epic, endpoint):
    desk = Desk(epic, endpoint, make_staff(endpoint.organization, Role.ANALYST, username=DANA))
    assert "Sign out and in again" in desk.look()
    desk.sign_in_to_epic()
    assert desk.approve(snapshot_digest(endpoint)).status_code == 422


def test_whoever_gets_the_user_name_later_approves_nothing(epic, dana, endpoint):
    dana.user.username = "dana.miller@lamna.example.org"
    dana.user.save()
    heir = make_staff(endpoint.organization, Role.ANALYST, username=DANA)
    staff_signed_in.send(sender=type(heir), user=heir, roles={Role.ANALYST}, tenant_id=TENANT_ID)
    desk = Desk(epic, endpoint, heir)
    assert "belonged to another Microsoft account" in desk.look()
    desk.sign_in_to_epic()
    assert desk.approve(snapshot_digest(endpoint)).status_code == 422


def test_an_administrator_names_the_approver_anew_after_a_change_of_account(epic, dana, avery, endpoint):
    heir = make_staff(endpoint.organization, Role.ANALYST, username="heir@lamna.example.org")
    avery.browser.post(avery.url("name_anew"))
    type(heir).objects.filter(pk=dana.user.pk).update(username="dana.miller@lamna.example.org")
    heir.username = DANA
    heir.save()
    staff_signed_in.send(sender=type(heir), user=heir, roles={Role.ANALYST}, tenant_id=TENANT_ID)
    assert Desk(epic, endpoint, heir).go_through().status_code == 302
    assert dana.browser.post(dana.url("name_anew")).status_code == 403


def test_an_approver_who_was_renamed_has_to_be_named_anew(dana):
    dana.look()
    dana.sign_in_to_epic()
    dana.look()
    dana.user.username = "dana.miller@lamna.example.org"
    dana.user.save()
    assert dana.approve().status_code == 422
    assert "has another user name now" in dana.look()


def test_an_approver_whom_entra_takes_the_role_from_loses_the_session(dana):
    dana.look()
    dana.sign_in_to_epic()
    dana.look()
    staff_signed_in.send(sender=type(dana.user), user=dana.user, roles=set(), tenant_id=TENANT_ID)
    assert dana.approve().status_code == 403
    assert not ConfigurationVersion.objects.exists()


def test_naming_another_approver_opens_the_approval_again(dana, approved):
    change(approved, approver_username="robin.lee@lamna.example.org")
    page = dana.look()
    assert "Changes not approved" in page
    assert "Only robin.lee@lamna.example.org approves" in page


def test_an_operator_never_approves(epic, endpoint):
    operator = make_approver(endpoint, Role.ADMIN)
    operator.is_superuser = True
    operator.save()
    desk = Desk(epic, endpoint, operator)
    assert "Operators of the connector never approve." in desk.look()
    assert desk.approve(snapshot_digest(endpoint)).status_code == 422


def test_an_approval_by_somebody_who_may_edit_is_marked(epic, endpoint):
    desk = Desk(epic, endpoint, make_approver(endpoint, Role.ADMIN))
    desk.look()
    assert "marked as self-approved" in desk.sign_in_to_epic()
    desk.look()
    desk.approve()
    assert ConfigurationVersion.objects.get().is_self_approved
    assert "Self-approved" in desk.look()


def test_an_organization_may_want_two_people(epic, endpoint, avery):
    answer = avery.browser.post(reverse("portal:approval_rules"), {"forbids_self_approval": "yes"}, follow=True)
    assert "two people are needed" in answer.content.decode()
    desk = Desk(epic, endpoint, make_approver(endpoint, Role.ADMIN, Role.ANALYST))
    desk.sign_in_to_epic()
    assert "Your organization wants two people" in desk.look()
    assert desk.approve(snapshot_digest(endpoint)).status_code == 422


# --- Entra's word at the moment of the approval ---------------------------------------------------
@pytest.fixture
def ready(dana):
    """Dana, signed in to Epic, with the page before her."""
    dana.look()
    dana.sign_in_to_epic()
    dana.look()
    return dana


def nothing_runs():
    return not ConfigurationVersion.objects.exists()


def test_the_approval_waits_for_entras_word_and_keeps_when_it_came(ready):
    answer = ready.press_approve()
    assert nothing_runs()
    assert answer.headers["Refresh"].startswith(f"0; url={ready.peer.url}/{TENANT}/oauth2/v2.0/authorize?")
    assert "login_hint=dana.ortiz" in answer.headers["Refresh"]
    assert ready.return_from_entra(answer).url == ready.url("records")
    version = ConfigurationVersion.objects.get()
    assert timedelta(0) <= version.approved_at - version.entra_confirmed_at < timedelta(minutes=1)
    page = ready.browser.get(ready.url("version", 1)).content.decode()
    assert "Confirmed by Microsoft" in page
    assert AuditEvent.objects.filter(action="staff.confirmed", actor=DANA).count() == 1


def test_an_approver_whom_entra_has_renamed_meanwhile_approves_nothing(ready):
    answer = ready.return_from_entra(ready.press_approve(), preferred_username="dana.miller@lamna.example.org")
    assert answer.status_code == 422
    assert nothing_runs()
    assert "has another user name now" in ready.look()


def test_an_approver_without_an_app_role_loses_every_access_at_once(ready):
    assert ready.return_from_entra(ready.press_approve(), roles=None).status_code == 403
    assert nothing_runs()
    assert not Membership.objects.filter(user=ready.user).exists()
    assert ready.browser.get(ready.url("approval")).status_code == 403


def test_an_approver_whose_role_is_another_now_approves_nothing(ready):
    answer = ready.return_from_entra(ready.press_approve(), roles=["Connector.Support"])
    assert answer.status_code == 403
    assert nothing_runs()


@pytest.mark.parametrize("error", ["access_denied", "server_error"])
def test_an_account_that_entra_lets_through_no_more_approves_nothing(ready, error):
    asked = ready.asked_of_entra(ready.press_approve())
    ready.browser.get("/accounts/oidc/entra/login/callback/", {"error": error, "state": asked["state"]})
    answer = ready.browser.get(reverse("portal:approve_confirmed"))
    assert answer.status_code == 422
    assert nothing_runs()
    assert "Microsoft has not confirmed your account" in answer.content.decode()


def test_another_account_at_microsoft_confirms_nobody(ready):
    answer = ready.return_from_entra(ready.press_approve(), oid="aaaaaaaa-0001-4000-8000-00000000000f")
    assert answer.status_code == 403
    assert "at Microsoft as another" in answer.content.decode()
    assert ready.browser.get(reverse("portal:approve_confirmed")).status_code == 422
    assert nothing_runs()


def test_the_way_back_alone_approves_nothing(ready):
    page = ready.browser.get(reverse("portal:approve_confirmed"), follow=True).content.decode()
    assert "Nothing was approved" in page
    ready.press_approve()
    assert ready.browser.get(reverse("portal:approve_confirmed")).status_code == 422
    assert nothing_runs()


def test_what_was_pressed_counts_for_ten_minutes(ready):
    answer = ready.press_approve()
    session = ready.browser.session
    pressed_at = timezone.now() - intents.LASTS
    session["approval_intent"] = {**session["approval_intent"], "at": pressed_at.isoformat()}
    session.save()
    page = ready.return_from_entra(answer)
    assert (page.status_code, page.url) == (302, reverse("portal:approvals"))
    assert nothing_runs()


def test_a_change_while_the_browser_was_at_entra_gives_409(ready):
    answer = ready.press_approve()
    change(ready.endpoint, visit_types=["VV45"])
    assert ready.return_from_entra(answer).status_code == 409
    assert nothing_runs()


def test_an_entra_that_is_away_is_explained_and_nothing_is_lost(ready):
    ready.peer.replace(f"/{TENANT}/v2.0/.well-known/openid-configuration", {}, status=503)
    answer = ready.press_approve()
    assert answer.status_code == 422
    assert "sign-in service did not answer" in answer.content.decode()
    assert "Signed in" in answer.content.decode()


def test_a_confirmation_older_than_a_minute_does_not_count(ready):
    now = timezone.now()
    with pytest.raises(ConfigurationError) as refused:
        approve(
            ready.endpoint, Approver(user=ready.user, roles=frozenset({Role.ANALYST})), seen_digest=ready.digest,
            session_key=ready.browser.session.session_key, confirmed_at=now - timedelta(seconds=61), now=now,
        )  # fmt: skip
    assert refused.value.code == "approval.not_confirmed"
    assert nothing_runs()
