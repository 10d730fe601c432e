import pytest
from django.urls import NoReverseMatch, resolve, reverse

from accounts import urls

UNUSED = [
    "account_signup",
    "account_email",
    "account_reset_password",
    "account_change_password",
    "account_reauthenticate",
    "socialaccount_signup",
    "socialaccount_connections",
    "mfa_index",
]


@pytest.mark.parametrize("name", UNUSED)
def test_pages_that_signing_in_through_entra_does_not_need_do_not_exist(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_every_sign_in_page_has_an_access_rule():
    assert {pattern.callback.access for pattern in urls.urlpatterns} == {"public"}


def test_the_callback_has_the_address_that_is_registered_in_entra():
    path = reverse("openid_connect_callback", kwargs={"provider_id": "entra"})
    assert path == "/accounts/oidc/entra/login/callback/"
    assert resolve(path).url_name == "openid_connect_callback"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_signup", "2fa/", "email/", "password/reset/", "3rdparty/signup/"])
def test_allauths_other_addresses_are_not_found(client, name):
    assert client.get(f"/accounts/{name}").status_code == 404
