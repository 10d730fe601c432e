"""The second client keeps the rules of the first: guard, limits, errors."""

import asyncio

import pytest

from core.errors import ConfigurationError, OutcomeUnknown, UpstreamUnavailable
from core.http import HttpCall
from core.http_async import AsyncClient
from core.outbound import OutboundPolicy
from tests.sms.supplier import HANG, Answer, Supplier

OPEN = OutboundPolicy.parse(["127.0.0.0/8"], allow_http=True)
CLOSED = OutboundPolicy.parse([], allow_http=False)


@pytest.fixture
def server():
    supplier = Supplier(lambda _call: Answer(200, {"hello": 1}))
    yield supplier
    supplier.close()


def fetch(url, policy=OPEN, *, method="GET"):
    async def run():
        async with AsyncClient(policy, parallel=2) as client:
            return await client.call(HttpCall(method=method, url=url), system="acs")

    return asyncio.run(run())


def test_an_answer_is_read_like_any_other(server):
    answer = fetch(f"{server.url}/x?y=%2B1")
    assert (answer.status_code, answer.json()) == (200, {"hello": 1})
    assert server.calls[0].path == "/x?y=%2B1"  # as it was signed
    assert server.calls[0].headers["User-Agent"] == "ehr-connector"


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://169.254.169.254/", "https://localhost/", "https://[::1]/", "http://127.0.0.1:9/"],
)
def test_the_guard_refuses_what_is_not_public(url):
    with pytest.raises(ConfigurationError):
        fetch(url, CLOSED)


def test_plain_http_needs_the_operators_permission(server):
    with pytest.raises(ConfigurationError, match="not_https"):
        fetch(server.url, OutboundPolicy.parse(["127.0.0.0/8"], allow_http=False))


def test_a_redirect_is_not_followed(server):
    server.plan = [Answer(302, headers={"Location": "http://169.254.169.254/"})]
    assert fetch(server.url).status_code == 302
    assert len(server.calls) == 1


def test_nobody_there_means_nothing_was_sent(server):
    server.close()
    with pytest.raises(UpstreamUnavailable, match=r"acs\.unreachable"):
        fetch(server.url)


def test_no_answer_means_nobody_knows(server, monkeypatch):
    monkeypatch.setattr("core.http_async.READ_SECONDS", 0.2)
    server.plan = [Answer(HANG)]
    with pytest.raises(OutcomeUnknown, match=r"acs\.no_answer"):
        fetch(server.url, method="POST")


def test_an_answer_that_never_ends_is_cut_off(server):
    server.plan = [Answer(200, "x" * 1_200_000)]
    with pytest.raises(OutcomeUnknown):
        fetch(server.url)
