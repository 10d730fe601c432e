import uuid

import pytest

from accounts.claims import SignInRefused, StaffClaims, read_claims
from accounts.models import Role

TENANT = "11111111-2222-4333-8444-555555555555"
PERSON = "aaaaaaaa-0001-4000-8000-000000000001"
TOKEN = {
    "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
    "tid": TENANT,
    "oid": PERSON,
    "preferred_username": "avery.reed@lamna.example.org",
    "roles": ["Connector.Admin", "Connector.ReportReader", "Other.App"],
}


def read(**changes):
    token = {name: value for name, value in {**TOKEN, **changes}.items() if value is not None}
    return read_claims(token, tenant_id=TENANT)


def test_tenant_and_object_id_are_the_identity():
    claims = read()
    assert claims.uid == f"{TENANT}.{PERSON}"
    assert claims.username == "avery.reed@lamna.example.org"


def test_app_roles_of_this_application_are_read_and_others_ignored():
    assert read().roles == {Role.ADMIN, Role.REPORT_READER}


@pytest.mark.parametrize("roles", [None, [], "Connector.Admin", ["connector.admin"], [7]])
def test_what_names_no_role_gives_none(roles):
    assert read(roles=roles).roles == frozenset()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tid": None}, "sign_in.incomplete"),
        ({"oid": None}, "sign_in.incomplete"),
        ({"oid": "avery"}, "sign_in.incomplete"),
        ({"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, "sign_in.personal_account"),
        ({"tid": "99999999-2222-4333-8444-555555555555"}, "sign_in.wrong_tenant"),
        ({"idp": "https://sts.windows.net/99999999-2222-4333-8444-555555555555/"}, "sign_in.guest"),
        ({"idp": "live.com"}, "sign_in.guest"),
        ({"acct": 1}, "sign_in.guest"),
    ],
)
def test_people_from_elsewhere_are_refused(changes, code):
    with pytest.raises(SignInRefused) as caught:
        read(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize("changes", [{"idp": TOKEN["iss"]}, {"idp": f"https://sts.windows.net/{TENANT}/"}, {"acct": 0}])
def test_a_member_whose_token_names_its_own_directory_is_no_guest(changes):
    assert read(**changes).object_id == uuid.UUID(PERSON)


def test_a_tenant_that_is_not_configured_lets_nobody_in():
    with pytest.raises(SignInRefused):
        read_claims(TOKEN, tenant_id="")


def test_a_missing_user_name_falls_back_to_the_object_id():
    assert read(preferred_username=None).username == PERSON


def test_what_is_stored_is_read_back_whole_and_holds_no_name():
    claims = read()
    stored = claims.as_stored()
    assert StaffClaims.from_stored(stored) == claims
    assert set(stored) == {"tid", "oid", "username", "roles"}
