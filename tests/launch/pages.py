"""Read pages and audit events as tests need them."""

import re

from django.http import HttpResponse

from core.models import AuditEvent

REFERENCE = re.compile(r"<code>([2-9BCDFGHJKMNPQRSTVWXZ]{3}-[2-9BCDFGHJKMNPQRSTVWXZ]{4})</code>")


def heading(response: HttpResponse) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", response.content.decode(), re.DOTALL)
    assert found, response.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())


def refusal(response: HttpResponse) -> AuditEvent:
    """Return the audit event behind the reference that the page shows."""
    found = REFERENCE.search(response.content.decode())
    assert found, response.content.decode()
    return AuditEvent.objects.filter(action="request.refused", reference=found.group(1)).latest("sequence")


def code_of(response: HttpResponse) -> str:
    """Return the code under which the audit trail knows the page's reference."""
    return str(refusal(response).data["code"])


def form_token(response: HttpResponse) -> str:
    found = re.search(r'(?:name="token" value|data-token)="([^"]+)"', response.content.decode())
    assert found, response.content.decode()
    return found.group(1)
