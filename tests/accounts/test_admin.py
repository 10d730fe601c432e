import pytest

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    user = User.objects.create_superuser("operator", "", "x" * 20)
    client.force_login(user)
    return client


def test_the_operator_reads_facts_and_may_switch_an_account_off(operator):
    staff = User.objects.create(username="avery.reed@lamna.example.org", roles=["admin"])
    assert b"Administrator" in operator.get("/admin/accounts/user/").content
    form = {"username": "changed", "is_superuser": "on"}
    assert operator.post(f"/admin/accounts/user/{staff.pk}/change/", form).status_code == 302
    staff.refresh_from_db()
    assert (staff.username, staff.is_superuser, staff.is_active) == ("avery.reed@lamna.example.org", False, False)


def test_accounts_are_neither_made_nor_removed_by_hand(operator):
    staff = User.objects.create(username="avery.reed@lamna.example.org")
    assert operator.get("/admin/accounts/user/add/").status_code == 403
    assert operator.post(f"/admin/accounts/user/{staff.pk}/delete/").status_code == 403
