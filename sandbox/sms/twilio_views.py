"""Endpoints of Twilio below ``/twilio/2010-04-01/`` (OpenAPI of 2026-04-14 was read for the shapes)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from sandbox import faults
from sandbox.delays import HANG_SECONDS, LATE_SECONDS, hold
from sandbox.models import SenderNumber, Supplier, Text
from sandbox.sms import numbers, twilio
from sandbox.sms.twilio_base import TwilioView, not_found

_PAGE = 50
_LARGEST_PAGE = 1000


class Messages(TwilioView):
    """``Messages.json``."""

    def post(self, request: HttpRequest) -> JsonResponse:
        """Send a text."""
        fault = faults.get("twilio.send")
        if fault == "late":
            hold(LATE_SECONDS)
        text = twilio.send(request.POST)
        if fault == "hang":
            hold(HANG_SECONDS)
        return JsonResponse(twilio.text_json(text), status=201)

    def get(self, request: HttpRequest) -> JsonResponse:
        """List texts, newest first."""
        texts = [twilio.text_json(text) for text in twilio.listed(request.GET)[: _page_size(request)]]
        return JsonResponse(_page(request, "messages", texts))


class Message(TwilioView):
    """``Messages/{sid}.json``."""

    def get(self, request: HttpRequest, sid: str) -> JsonResponse:
        """Return a text."""
        text = Text.objects.filter(supplier=Supplier.TWILIO, message_id=sid).first()
        if text is None:
            raise not_found(request)
        return JsonResponse(twilio.text_json(text))


class Numbers(TwilioView):
    """``IncomingPhoneNumbers.json``."""

    def post(self, request: HttpRequest) -> JsonResponse:
        """Buy a number."""
        return JsonResponse(twilio.number_json(twilio.buy(request.POST)), status=201)

    def get(self, request: HttpRequest) -> JsonResponse:
        """List the customer's numbers."""
        held = numbers.held_by_customer(Supplier.TWILIO)
        if "PhoneNumber" in request.GET:
            held = held.filter(e164=request.GET["PhoneNumber"])
        found = [twilio.number_json(number) for number in held[: _page_size(request)]]
        return JsonResponse(_page(request, "incoming_phone_numbers", found))


class Number(TwilioView):
    """``IncomingPhoneNumbers/{sid}.json``."""

    def get(self, request: HttpRequest, sid: str) -> JsonResponse:
        """Return a number."""
        return JsonResponse(twilio.number_json(_held(request, sid)))

    def post(self, request: HttpRequest, sid: str) -> JsonResponse:
        """Change a number's addresses."""
        return JsonResponse(twilio.number_json(twilio.update(_held(request, sid), request.POST)))

    def delete(self, request: HttpRequest, sid: str) -> HttpResponse:
        """Release a number."""
        number = _held(request, sid)
        number.released_at = timezone.now()
        number.save()
        return HttpResponse(status=204)


class Available(TwilioView):
    """``AvailablePhoneNumbers/{country}/{TollFree|Local}.json``."""

    def get(self, request: HttpRequest, country: str, kind: str) -> JsonResponse:
        """List numbers for sale; all of them can send texts."""
        if country != "US":
            raise not_found(request)
        kind = "tollFree" if kind == "TollFree" else "geographic"
        area = request.GET.get("AreaCode", "")
        offered = numbers.for_sale(kind=kind, area_code=area, quantity=min(_page_size(request), 30))
        found = [] if faults.get("twilio.numbers") == "out_of_stock" else [twilio.offer_json(e164) for e164 in offered]
        return JsonResponse(_page(request, "available_phone_numbers", found))


def _held(request: HttpRequest, sid: str) -> SenderNumber:
    number = SenderNumber.objects.filter(supplier=Supplier.TWILIO, sid=sid, released_at__isnull=True).first()
    if number is None:
        raise not_found(request)
    return number


def _page_size(request: HttpRequest) -> int:
    size = request.GET.get("PageSize", "")
    return min(int(size), _LARGEST_PAGE) if size.isdigit() else _PAGE


def _page(request: HttpRequest, name: str, found: list[dict[str, object]]) -> dict[str, object]:
    uri = request.get_full_path().removeprefix("/twilio")
    return {
        name: found,
        "page": 0,
        "page_size": _page_size(request),
        "start": 0,
        "end": max(len(found) - 1, 0),
        "uri": uri,
        "first_page_uri": uri,
        "next_page_uri": None,
        "previous_page_uri": None,
    }
