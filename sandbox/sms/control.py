"""Control interface of the phones, as JSON."""

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sandbox import setup
from sandbox.sms import event_grid, phones, twilio_verifications
from sandbox.sms.presenter import text_json


@require_GET
def phone(request: HttpRequest, e164: str) -> JsonResponse:
    """List the texts that reached a phone, newest first."""
    return JsonResponse([text_json(text) for text in phones.received(e164)], safe=False)


@require_POST
def reply(request: HttpRequest, e164: str) -> JsonResponse:
    """Answer from a phone: ``{"text": …, "to": optional number}``."""
    try:
        body = json.loads(request.body)
        text, to = str(body["text"]), str(body.get("to", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return JsonResponse({"error": 'send {"text": "…"}'}, status=400)
    try:
        answer = phones.reply(e164, body=text, to=to)
    except phones.PhoneRefused as error:
        return JsonResponse({"error": str(error)}, status=409)
    return JsonResponse({"id": answer.message_id, "to": answer.number})


@require_POST
def validate_webhook(request: HttpRequest) -> JsonResponse:
    """Shake hands with the Event Grid webhook of the setup now."""
    url = setup.current().get("acs", {}).get("event_webhook_url", "")
    return JsonResponse({"url": url, "is_valid": bool(url) and event_grid.validate(url)})


@require_http_methods(["PUT"])
def number(request: HttpRequest, e164: str) -> JsonResponse:
    """Decide about a toll-free number as carriers do: ``{"verification": "TWILIO_APPROVED", "reason": optional}``."""
    try:
        body = json.loads(request.body)
        is_known = twilio_verifications.decide(
            e164, status=str(body["verification"]), reason=str(body.get("reason", ""))
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"number": e164}, status=200 if is_known else 404)
