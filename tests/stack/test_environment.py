import base64
import stat

import pytest

from core.jobs import QUEUES
from ehrconnector.stack import children
from ehrconnector.stack.environment import (
    Addresses,
    demo_variables,
    for_product,
    for_sandbox,
    load_or_create_secrets,
)


@pytest.fixture
def variables(tmp_path):
    return demo_variables(
        known=load_or_create_secrets(tmp_path / "demo.env"),
        addresses=Addresses(web_port=8000, sandbox_port=8100, mllp_port=2575),
        tls=tmp_path / "tls",
        database_url="postgres://u:p@127.0.0.1/connector",
        sandbox_database_url="postgres://u:p@127.0.0.1/sandbox",
        redis_url="redis://127.0.0.1/0",
    )


def test_secrets_are_invented_once_and_readable_by_us_only(tmp_path):
    path = tmp_path / "demo.env"
    first = load_or_create_secrets(path)
    assert load_or_create_secrets(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key_id, key = first["ENCRYPTION_KEYS"].split(":", 1)
    assert (key_id, len(base64.b64decode(key)), len(base64.b64decode(first["INDEX_KEY"]))) == ("k1", 32, 32)


def test_a_secret_that_a_newer_version_needs_is_added_to_the_old_ones(tmp_path):
    path = tmp_path / "demo.env"
    path.write_text("SECRET_KEY=kept\n")
    assert load_or_create_secrets(path)["SECRET_KEY"] == "kept"
    assert len(load_or_create_secrets(path)) > 5


def test_product_and_sandbox_know_none_of_the_others_secrets(variables):
    sandbox = for_sandbox(variables)
    product = for_product(variables)
    assert not {"SECRET_KEY", "DATABASE_URL", "ENCRYPTION_KEYS", "ACS_ACCESS_KEY"} & sandbox.keys()
    assert not {"SANDBOX_DATABASE_URL", "SANDBOX_SECRET_KEY"} & product.keys()


def test_settings_of_another_product_do_not_leak_in(variables, monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "elsewhere.example.org")
    monkeypatch.setenv("SECRET_KEY_FILE", "/elsewhere")
    assert not {"ALLOWED_HOSTS", "SECRET_KEY_FILE"} & for_product(variables).keys()


def test_the_two_hosts_are_different_sites(variables):
    assert variables["PUBLIC_URL"] == "http://localhost:8000"
    assert variables["SANDBOX_URL"] == "http://127.0.0.1:8100"
    assert variables["ENTRA_BASE_URL"] == "http://127.0.0.1:8100/entra"


def test_every_queue_has_a_worker(variables):
    assert children.QUEUES == QUEUES
    assert f"--queues={','.join(QUEUES)}" in children.worker(variables).argv
