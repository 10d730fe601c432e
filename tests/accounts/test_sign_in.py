import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken

from accounts.models import Role, User
from accounts.signals import staff_signed_in
from core.models import AuditEvent
from tests.accounts.conftest import AVERY, TENANT

pytestmark = pytest.mark.django_db


def codes():
    return [event.data.get("code") for event in AuditEvent.objects.filter(action="request.refused")]


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_the_first_sign_in_makes_an_account_under_tenant_and_object_id(sign_in, client, announced):
    response = sign_in()
    assert response.status_code == 302
    user = User.objects.get()
    assert (user.entra_tenant_id, user.entra_object_id) == (TENANT, AVERY)
    assert (user.username, user.roles, user.email) == ("avery.reed@lamna.example.org", ["admin"], "")
    assert not user.has_usable_password()
    assert client.session["_auth_user_id"] == str(user.pk)
    assert announced == [{"user": user, "roles": {Role.ADMIN}, "tenant_id": TENANT}]
    assert AuditEvent.objects.filter(action="staff.signed_in", subject_id=str(user.pk)).count() == 1


def test_nothing_of_the_token_is_kept_but_identity_and_roles(sign_in):
    sign_in()
    account = SocialAccount.objects.get()
    assert account.uid == f"{TENANT}.{AVERY}"
    assert account.extra_data == {
        "tid": str(TENANT),
        "oid": str(AVERY),
        "username": "avery.reed@lamna.example.org",
        "roles": ["admin"],
    }
    assert not SocialToken.objects.exists()
    assert not EmailAddress.objects.exists()


def test_roles_and_user_name_are_read_again_at_each_sign_in(sign_in, client, announced):
    sign_in()
    client.logout()
    sign_in(preferred_username="avery.new@lamna.example.org", roles=["Connector.Support", "Connector.ReportReader"])
    user = User.objects.get()
    assert user.username == "avery.new@lamna.example.org"
    assert user.roles == ["report_reader", "support"]
    assert announced[-1]["roles"] == {Role.SUPPORT, Role.REPORT_READER}


def test_losing_every_role_ends_access(sign_in, client, announced):
    sign_in()
    client.logout()
    response = sign_in(roles=[])
    assert response.status_code == 403
    assert not is_signed_in(client)
    assert User.objects.get().roles == []
    assert announced[-1]["roles"] == set()
    assert codes() == ["sign_in.no_role"]
    assert AuditEvent.objects.filter(action="staff.access_ended").count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"roles": None}, "sign_in.no_role"),
        ({"tid": "99999999-2222-4333-8444-555555555555"}, "sign_in.wrong_tenant"),
        ({"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, "sign_in.personal_account"),
        ({"idp": "live.com"}, "sign_in.guest"),
    ],
)
def test_who_may_not_sign_in_gets_a_page_and_no_account(sign_in, client, announced, changes, code):
    response = sign_in(**changes)
    assert response.status_code == 403
    assert not is_signed_in(client)
    assert not User.objects.exists()
    assert announced == []
    event = AuditEvent.objects.get(action="request.refused")
    assert event.data["code"] == code
    assert event.reference in response.content.decode()


def test_a_name_that_was_given_to_somebody_else_does_not_lead_to_the_old_account(sign_in, client):
    sign_in()
    first = User.objects.get()
    client.logout()
    sign_in(oid="aaaaaaaa-0001-4000-8000-0000000000ff", roles=["Connector.Support"])
    second = User.objects.exclude(pk=first.pk).get()
    assert second.username == "avery.reed@lamna.example.org+aaaaaaaa"
    assert second.roles == ["support"]
    first.refresh_from_db()
    assert (first.username, first.roles) == ("avery.reed@lamna.example.org", ["admin"])


def test_a_local_account_is_not_taken_over_by_its_name_or_address(sign_in):
    local = User.objects.create_superuser("avery.reed@lamna.example.org", "avery.reed@lamna.example.org", "x" * 20)
    EmailAddress.objects.create(user=local, email=local.email, verified=True, primary=True)
    sign_in(email_verified=True)
    local.refresh_from_db()
    assert local.entra_object_id is None
    assert local.has_usable_password()
    assert User.objects.get(entra_object_id=AVERY).pk != local.pk
    assert not User.objects.get(entra_object_id=AVERY).is_superuser


def test_a_user_whose_link_was_removed_is_recognized(sign_in):
    known = User.objects.create(username="old", entra_tenant_id=TENANT, entra_object_id=AVERY)
    sign_in()
    assert User.objects.get() == known
    assert SocialAccount.objects.get().user == known


def test_an_account_that_was_switched_off_stays_out(sign_in, client):
    User.objects.create(username="old", entra_tenant_id=TENANT, entra_object_id=AVERY, is_active=False)
    response = sign_in()
    assert response.status_code == 403
    assert not is_signed_in(client)
    assert codes() == ["sign_in.inactive"]
    assert User.objects.get().roles == []


def test_accounts_cannot_be_linked(sign_in, client):
    other = User.objects.create(username="other", entra_object_id=uuid.uuid4(), entra_tenant_id=TENANT)
    client.force_login(other)
    response = sign_in("?process=connect")
    assert response.status_code == 403
    assert codes() == ["sign_in.not_a_sign_in"]
    assert not SocialAccount.objects.exists()


def test_a_failing_receiver_leaves_nobody_signed_in(sign_in, client):
    def fail(**_):
        raise RuntimeError

    staff_signed_in.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            sign_in()
    finally:
        staff_signed_in.disconnect(fail)
    assert not is_signed_in(client)
    assert User.objects.get().roles == []


def test_entra_is_asked_with_pkce_a_long_state_and_no_address(entra, client):
    response = client.post("/accounts/oidc/entra/login/")
    asked = parse_qs(urlsplit(response["Location"]).query)
    assert response["Location"].startswith(f"{entra.url}/{TENANT}/oauth2/v2.0/authorize?")
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 43
    assert set(asked["scope"][0].split()) == {"openid", "profile"}


def test_the_code_is_traded_with_the_verifier(sign_in, entra):
    sign_in()
    form = entra.calls(f"/{TENANT}/oauth2/v2.0/token")[0].form
    assert form["code_verifier"]
    assert form["client_secret"] == "only-for-tests"


def test_a_state_of_another_browser_is_refused(sign_in, client, entra):
    response = client.get("/accounts/oidc/entra/login/callback/", {"code": "code", "state": "stolen"})
    assert response.status_code == 403
    assert codes() == ["sign_in.failed"]
    assert entra.calls(f"/{TENANT}/oauth2/v2.0/token") == []


def test_a_token_from_another_issuer_is_refused(sign_in, client):
    assert sign_in(iss="https://evil.test/v2.0").status_code == 403
    assert not is_signed_in(client)
    assert codes() == ["sign_in.failed"]


def test_going_back_at_microsoft_is_no_failure(client, entra):
    begun = client.post("/accounts/oidc/entra/login/")
    state = parse_qs(urlsplit(begun["Location"]).query)["state"][0]
    response = client.get("/accounts/oidc/entra/login/callback/", {"error": "access_denied", "state": state})
    assert (response.status_code, response["Location"]) == (302, "/accounts/3rdparty/login/cancelled/")
    assert codes() == []


@pytest.mark.parametrize("answer", [{"status": 503}, {"body": b"<html>"}, {"body": {}}])
def test_an_entra_that_does_not_answer_is_a_page_and_not_a_crash(client, entra, answer):
    body = answer.get("body")
    entra.replace(f"/{TENANT}/v2.0/.well-known/openid-configuration", body, status=answer.get("status", 200))
    response = client.post("/accounts/oidc/entra/login/")
    assert response.status_code == 503
    assert codes() == ["sign_in.entra_unavailable"]


def test_another_site_cannot_begin_a_sign_in(client, entra):
    response = client.get("/accounts/oidc/entra/login/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    strict = type(client)(enforce_csrf_checks=True)
    assert strict.post("/accounts/oidc/entra/login/").status_code == 403
    assert entra.received == []


def test_a_foreign_address_to_go_on_to_is_ignored(sign_in):
    assert sign_in("?next=https://evil.test/")["Location"] == "/"
    assert sign_in("?next=/visits/")["Location"] == "/visits/"


def test_the_sign_in_page_may_lead_to_entra_and_nowhere_else(client, entra):
    response = client.get("/accounts/login/")
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert f"form-action 'self' {entra.url}" in policy


def test_signing_out_takes_a_form(sign_in, client):
    sign_in()
    client.get("/accounts/logout/")
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)
