"""What every Twilio endpoint does: Basic authentication, faults, and errors with a code and a page."""

import base64
import binascii
import hmac
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views import View

from sandbox import faults, setup


class TwilioError(Exception):
    """A refusal, by Twilio's own error code."""

    def __init__(self, status: int, code: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def not_found(request: HttpRequest) -> TwilioError:
    """Return the refusal for something that is not there."""
    return TwilioError(404, 20404, f"The requested resource {request.path.removeprefix('/twilio')} was not found")


class TwilioView(View):
    """Base of the endpoints below an account."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check account and token, run the method, and word a refusal."""
        try:
            _authenticate(request, account=kwargs.pop("account"))
            _apply_faults()
            return super().dispatch(request, *args, **kwargs)
        except TwilioError as error:
            page = f"https://www.twilio.com/docs/errors/{error.code}"
            body = {"code": error.code, "message": error.message, "more_info": page, "status": error.status}
            return JsonResponse(body, status=error.status, headers=error.headers)


def account_sid() -> str:
    """Return the account the twin knows."""
    return str(setup.current().get("twilio", {}).get("account_sid", ""))


def _authenticate(request: HttpRequest, *, account: str) -> None:
    known = setup.current().get("twilio", {})
    user, password = _credentials(request)
    is_right = bool(known.get("auth_token")) and hmac.compare_digest(
        f"{user}:{password}".encode(), f"{known.get('account_sid')}:{known.get('auth_token')}".encode()
    )
    if not is_right or account != known.get("account_sid"):
        raise TwilioError(401, 20003, "Authenticate", headers={"WWW-Authenticate": 'Basic realm="Twilio API"'})


def _credentials(request: HttpRequest) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _apply_faults() -> None:
    fault = faults.get("twilio.http")
    if fault == "throttle":
        raise TwilioError(429, 20429, "Too Many Requests", headers={"Retry-After": "5"})
    if fault == "error":
        raise TwilioError(500, 20500, "Internal Server Error")
