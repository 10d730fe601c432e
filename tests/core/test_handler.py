import asyncio
import threading

import pytest
from asgiref.sync import SyncToAsync
from django.core.signals import request_finished, request_started
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import translation

from core.handler import OneThreadHandler


async def get(path, *, handler=None):
    """Return the status, the headers and the body that an ASGI server would send."""
    sent = []
    told = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if told:
            return told.pop()
        return await asyncio.Event().wait()  # the browser stays

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": "https",
        "headers": [(b"host", b"testserver"), (b"x-forwarded-proto", b"https")],
    }  # fmt: skip
    await (handler or OneThreadHandler())(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(part.get("body", b"") for part in sent[1:])


@pytest.mark.django_db(transaction=True)
def test_a_request_enters_a_thread_once_and_stays_in_it(monkeypatch):
    entered, threads = [], []

    async def counted(self, *_args, **_kwargs):
        entered.append(self.func)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    for signal in (request_started, request_finished):
        signal.connect(lambda **_: threads.append(threading.current_thread()), weak=False, dispatch_uid="test")
    answer = OneThreadHandler.get_response

    def noted(self, request):
        threads.append(threading.current_thread())
        return answer(self, request)

    monkeypatch.setattr(OneThreadHandler, "get_response", noted)
    try:
        status, headers, body = asyncio.run(get(reverse("account_login")))
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(dispatch_uid="test")

    assert status == 200
    assert b"X-Request-ID" in headers
    assert b"default-src 'none'" in headers[b"Content-Security-Policy"]
    assert b"<title>" in body
    assert entered == []
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()


@pytest.mark.django_db(transaction=True)
def test_what_is_streamed_is_made_in_the_thread_of_the_request(monkeypatch):
    made_in = []

    def parts():
        for part in (b"one ", b"two"):
            made_in.append(threading.current_thread())
            yield part

    def streamed(self, request):
        made_in.append(threading.current_thread())
        return StreamingHttpResponse(parts())

    monkeypatch.setattr(OneThreadHandler, "get_response", streamed)
    status, _, body = asyncio.run(get("/"))

    assert (status, body) == (200, b"one two")
    assert len(made_in) == 3
    assert len(set(made_in)) == 1


@pytest.mark.django_db(transaction=True)
def test_the_language_of_one_request_does_not_stay_with_its_thread(monkeypatch):
    spoken = []

    def spanish_once(self, request):
        spoken.append(translation.get_language())
        translation.activate("es")
        return HttpResponse()

    monkeypatch.setattr(OneThreadHandler, "get_response", spanish_once)
    monkeypatch.setattr("core.handler.THREADS", 1)

    async def twice():
        handler = OneThreadHandler()
        return [await get("/", handler=handler) for _ in range(2)]

    asyncio.run(twice())
    assert spoken == ["en", "en"]


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_not_there_is_answered_in_our_own_words():
    status, _, body = asyncio.run(get("/nothing-here"))
    assert status == 404
    assert b"<html" in body
