"""Live status over a real socket: who may listen, how soon a change is heard, what happens without Redis."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests
import uvicorn
from django.test import Client
from django.urls import reverse

from launch import hub, stream
from launch.models import LaunchAttempt
from meetings.services import live
from tests.switch import Switch

pytestmark = pytest.mark.django_db(transaction=True)


async def nothing(scope, receive, send):
    """Answer like an application that knows no such address."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving() -> Iterator[str]:
    config = uvicorn.Config(stream.with_streams(nothing), port=0, lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)  # uvicorn has no event to wait for
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}{reverse('launch:status_stream')}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


@pytest.fixture
def url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def provider(launch, graph) -> Client:
    begun = launch()
    assert begun.finish().status_code == 303
    return begun.browser


def cookies_of(client: Client) -> dict[str, str]:
    return {name: morsel.value for name, morsel in client.cookies.items()}


def listen(url: str, client: Client) -> requests.Response:
    return requests.get(url, cookies=cookies_of(client), stream=True, timeout=20)


def events(response: requests.Response) -> Iterator[str]:
    for line in response.iter_lines(chunk_size=1):
        if line.startswith(b"event: "):
            yield line.removeprefix(b"event: ").decode()


def test_a_change_is_heard_at_once_and_says_nothing_but_that(url, provider):
    response = listen(url, provider)
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    heard = events(response)
    assert next(heard) == "changed"  # whatever happened before the stream was open
    for _ in range(3):
        begun = time.monotonic()
        live.announce(LaunchAttempt.objects.get().visit_id)
        assert next(heard) == "changed"
        assert time.monotonic() - begun < 1
    response.close()


def test_news_of_other_visits_are_not_heard(url, provider, monkeypatch):
    monkeypatch.setattr(stream, "ALIVE_SECONDS", 0.5)
    heard = events(listen(url, provider))
    assert next(heard) == "changed"
    live.announce(LaunchAttempt.objects.get().pk)
    assert [next(heard) for _ in range(2)] == ["alive", "alive"]


@pytest.mark.parametrize("who", ["nobody", "patient"])
def test_only_the_provider_of_a_visit_may_listen(url, who, request, client):
    listener = request.getfixturevalue("patient") if who == "patient" else client
    assert listen(url, listener).status_code == 204


def test_without_redis_there_is_no_stream(url, provider, settings, monkeypatch):
    monkeypatch.setattr(stream, "_hub", lambda: hub.Hub("redis://127.0.0.1:9/0"))
    assert listen(url, provider).status_code == 503


def test_when_redis_goes_away_streams_end_so_that_pages_poll(provider, settings, monkeypatch):
    monkeypatch.setattr(hub, "_PING_SECONDS", 0.2)
    address = urlsplit(settings.REDIS_URL)
    cable = Switch(address.port)
    account, has_account, _ = address.netloc.rpartition("@")
    settings.REDIS_URL = address._replace(netloc=f"{account}{has_account}127.0.0.1:{cable.port}").geturl()
    with serving() as url:
        heard = events(listen(url, provider))
        assert next(heard) == "changed"
        cable.off()
        assert list(heard) == []
        assert listen(url, provider).status_code == 503
        cable.on()
        assert next(events(listen(url, provider))) == "changed"
    cable.off()


def test_a_stream_that_was_left_is_forgotten(provider, settings):
    async def come_and_go():
        one = hub.Hub(settings.REDIS_URL)
        watcher = await one.watch("visit:1")
        one.leave("visit:1", watcher)
        assert not one._watchers
        one._listening.cancel()
        await asyncio.wait([one._listening])

    asyncio.run(come_and_go())


def test_a_server_without_streams_lets_pages_poll(provider):
    assert provider.get(reverse("launch:status_stream"), secure=True).status_code == 204
