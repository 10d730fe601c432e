"""What SMS suppliers call: verify, store, answer."""

import hmac
import json
import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.access import access
from core.jobs import enqueue_after_commit
from sms import tasks
from sms.models import Supplier
from sms.providers import acs, twilio
from sms.providers.base import IncomingText
from sms.services import inbound, receipts

SECRET_HEADER = "X-Connector-Secret"  # noqa: S105 - the header's name
MOST_BYTES = 65_536

logger = logging.getLogger(__name__)


@access("signed")
@csrf_exempt
@require_POST
def acs_events(request: HttpRequest) -> HttpResponse:
    """Take Event Grid events about texts; the subscription sends our secret in a header."""
    if not _is_from_event_grid(request):
        return HttpResponse(status=401)
    events = _events(request)
    if events is None:
        return HttpResponse(status=400)
    for event in events:
        if event.get("eventType") == acs.VALIDATION_EVENT:
            return _handshake(event)
        _take_event(event)
    return HttpResponse(status=200)


@access("signed")
@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a status callback; its address carries our id of the text."""
    if not _is_from_twilio(request):
        return HttpResponse(status=403)
    now = timezone.now()
    try:
        report = twilio.parse_report(_form(request), at=now)
    except KeyError:
        return HttpResponse(status=400)
    receipts.record_report(report, supplier=Supplier.TWILIO, key=str(key), now=now)
    return HttpResponse(status=204)


@access("signed")
@csrf_exempt
@require_POST
def twilio_incoming(request: HttpRequest) -> HttpResponse:
    """Take a patient's reply; what is to be answered is answered later, by a text of its own."""
    if not _is_from_twilio(request):
        return HttpResponse(status=403)
    try:
        text = twilio.parse_incoming(_form(request))
    except KeyError:
        return HttpResponse(status=400)
    _take_incoming(text, supplier=Supplier.TWILIO)
    return HttpResponse("<Response></Response>", content_type="text/xml")


def _handshake(event: dict[str, Any]) -> HttpResponse:
    """Confirm the subscription, if it is one of our topic."""
    topic = settings.ACS_EVENT_TOPIC
    if topic and str(event.get("topic", "")).casefold() != topic.casefold():
        return HttpResponse(status=403)
    code = event.get("data", {}).get("validationCode", "")
    return JsonResponse({"validationResponse": code})


def _take_event(event: dict[str, Any]) -> None:
    """Store one event. One that cannot be read is left out: it would come again and again, with all others."""
    now = timezone.now()
    try:
        report, incoming = acs.parse_report(event), acs.parse_incoming(event)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        logger.warning("an event could not be read", extra={"system": acs.SYSTEM, "error": type(error).__name__})
        return
    if report:
        receipts.record_report(report, supplier=Supplier.ACS, now=now)
    elif incoming:
        _take_incoming(incoming, supplier=Supplier.ACS)


def _take_incoming(text: IncomingText, *, supplier: str) -> None:
    inbound.record_incoming(text, supplier=supplier, now=timezone.now())
    enqueue_after_commit(tasks.answer_due)


def _is_from_event_grid(request: HttpRequest) -> bool:
    given = request.headers.get(SECRET_HEADER, "")
    return bool(settings.ACS_WEBHOOK_SECRET) and hmac.compare_digest(given, settings.ACS_WEBHOOK_SECRET)


def _is_from_twilio(request: HttpRequest) -> bool:
    # The configured address, not the one this process sees: a proxy in front changes scheme and host.
    url = f"{settings.PUBLIC_URL}{request.get_full_path()}"
    given = request.headers.get("X-Twilio-Signature", "")
    token = settings.TWILIO_AUTH_TOKEN
    if not token or len(request.body) > MOST_BYTES:
        return False
    return twilio.is_signed(given, auth_token=token, url=url, form=_form(request))


def _form(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.POST.items()}


def _events(request: HttpRequest) -> list[dict[str, Any]] | None:
    """Return the events in the body, or None when it is too large or something else."""
    if len(request.body) > MOST_BYTES:
        return None
    try:
        events = json.loads(request.body)
    except ValueError:
        return None
    is_list = isinstance(events, list) and all(isinstance(event, dict) for event in events)
    return events if is_list else None
