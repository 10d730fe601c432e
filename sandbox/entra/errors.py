"""Entra's errors: an OAuth error with numbers that support staff ask for."""

import re
import uuid

from django.http import HttpResponse
from django.utils import timezone

from sandbox.http import oauth_answer

_UNAUTHORIZED, _BAD_REQUEST = 401, 400


def entra_error(error: str, description: str) -> HttpResponse:
    """Return an error whose description begins with its AADSTS number."""
    ids = {"trace_id": str(uuid.uuid4()), "correlation_id": str(uuid.uuid4())}
    body = {
        "error": error,
        "error_description": description,
        "error_codes": [int(number) for number in re.findall(r"AADSTS(\d+)", description)],
        "timestamp": f"{timezone.now():%Y-%m-%d %H:%M:%SZ}",
        **ids,
    }
    return oauth_answer(body, status=_UNAUTHORIZED if error == "invalid_client" else _BAD_REQUEST)
