import asyncio

import pytest
from asgiref.sync import SyncToAsync
from django.urls import reverse

from core.handler import OneThreadHandler


async def get(path):
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
    await OneThreadHandler()(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(part["body"] for part in sent[1:])


@pytest.mark.django_db(transaction=True)
def test_a_request_enters_its_thread_once_for_all_middleware_and_the_view(monkeypatch):
    entered = []
    enter = SyncToAsync.__call__

    async def counted(self, *args, **kwargs):
        entered.append(self.func)
        return await enter(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    status, headers, body = asyncio.run(get(reverse("account_login")))

    assert status == 200
    assert b"X-Request-ID" in headers
    assert b"default-src 'none'" in headers[b"Content-Security-Policy"]
    assert b"<title>" in body
    names = [getattr(work, "__name__", "") for work in entered]
    assert names.count("get_response") == 1
    assert len(entered) <= 5, names  # and what Django does before and after a request


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_not_there_is_answered_in_our_own_words():
    status, _, body = asyncio.run(get("/nothing-here"))
    assert status == 404
    assert b"<html" in body
