"""Toll-free verification the Twilio way: asked for once per number, then decided by people, weeks later.

The Messaging API's OpenAPI (``/v1/Tollfree/Verifications``, 2026-04) was read for the shapes. In the twin a
decision is made with ``PUT /control/numbers/<E.164>``.
"""

from typing import Any

from django.http import HttpRequest, JsonResponse

from sandbox.models import SenderNumber, Supplier
from sandbox.sms.twilio_base import TwilioError, TwilioView, account_sid

STATUSES = ("PENDING_REVIEW", "IN_REVIEW", "TWILIO_APPROVED", "TWILIO_REJECTED")
_REQUIRED = (
    "BusinessName", "BusinessWebsite", "NotificationEmail", "UseCaseCategories", "UseCaseSummary",
    "ProductionMessageSample", "OptInImageUrls", "OptInType", "MessageVolume", "TollfreePhoneNumberSid",
)  # fmt: skip


class Verifications(TwilioView):
    """``/v1/Tollfree/Verifications``."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Take the account of the credentials: the address names none."""
        return super().dispatch(request, *args, account=account_sid(), **kwargs)

    def get(self, request: HttpRequest) -> JsonResponse:
        """List verifications, of one number if ``TollfreePhoneNumberSid`` is given."""
        asked = _held().exclude(verification="")
        if sid := request.GET.get("TollfreePhoneNumberSid", ""):
            asked = asked.filter(sid=sid)
        found = [verification_json(number) for number in asked[:50]]
        return JsonResponse({"verifications": found, "meta": {"page": 0, "page_size": 50, "key": "verifications"}})

    def post(self, request: HttpRequest) -> JsonResponse:
        """Ask for the verification of a number.

        :raises TwilioError: 20001 when something required is missing.
        """
        missing = [name for name in _REQUIRED if not request.POST.get(name)]
        if missing:
            raise TwilioError(400, 20001, f"Missing required parameter {missing[0]} in the post body")
        number = _held().filter(sid=request.POST["TollfreePhoneNumberSid"], kind="tollFree").first()
        if number is None:
            raise TwilioError(400, 20001, "TollfreePhoneNumberSid is no toll-free number of this account")
        number.verification = "PENDING_REVIEW"
        number.save()
        return JsonResponse(verification_json(number), status=201)


def decide(e164: str, *, status: str, reason: str = "") -> bool:
    """Let the carriers decide about a number; False when no customer holds it.

    :raises ValueError: when ``status`` is none of Twilio's.
    """
    if status not in STATUSES:
        raise ValueError(f"verification: one of {', '.join(STATUSES)}")
    held = SenderNumber.objects.filter(e164=e164, released_at__isnull=True)
    return bool(held.update(verification=status, rejection_reason=reason))


def verification_json(number: SenderNumber) -> dict[str, Any]:
    """Return the Verification resource, as far as a customer reads it."""
    return {
        "sid": f"HH{number.sid[2:]}",
        "account_sid": account_sid(),
        "tollfree_phone_number_sid": number.sid,
        "status": number.verification,
        "rejection_reason": number.rejection_reason or None,
        "error_code": 30475 if number.verification == "TWILIO_REJECTED" else None,
        "edit_allowed": number.verification == "TWILIO_REJECTED",
    }


def _held() -> Any:
    return SenderNumber.objects.filter(supplier=Supplier.TWILIO, released_at__isnull=True).order_by("-id")
