import re

import pytest


def test_every_answer_names_its_request(client):
    assert re.fullmatch(r"[0-9a-f]{16}", client.get("/healthz").headers["X-Request-ID"])


def test_an_id_from_a_proxy_is_kept(client):
    assert client.get("/healthz", headers={"X-Request-ID": "proxy-0001"}).headers["X-Request-ID"] == "proxy-0001"


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f g h", "line\nbreak-0001"])
def test_an_id_that_could_forge_a_log_line_is_replaced(client, given):
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_answers_are_not_stored_and_carry_a_strict_policy(client):
    headers = client.get("/healthz").headers
    policy = headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in headers["Permissions-Policy"]
