"""HL7 over HTTP: a message in the body of a POST, its acknowledgement in the body of the answer.

Source: HAPI's HL7 over HTTP specification. AE and AR are answers too and travel with status 200; any other status
says that nobody looked at the message, and has no HL7 body.
"""

from email.message import Message as Headers
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.access import access
from core.jobs import enqueue_after_commit
from hl7intake import tasks
from hl7intake.models import InboundMessage
from hl7intake.services.https_senders import Credentials, SenderRefused, identify, needs_password
from hl7intake.services.receiving import receive
from hl7intake.services.refusals import record_refused_sender

_TYPES = frozenset({"application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7", "text/plain"})
_CHARSETS = {"us-ascii": "ASCII", "ascii": "ASCII", "utf-8": "UTF-8", "utf8": "UTF-8", "windows-1252": "WINDOWS-1252"}


@access("signed")
@csrf_exempt
@require_POST
def take(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Take one message, or a batch, for an endpoint."""
    kind, charset = _content_type(request)
    if kind not in _TYPES:
        return HttpResponse(status=415)
    body = _body(request)
    if body is None:
        return HttpResponse(status=413)
    now = timezone.now()
    try:
        sender = identify(endpoint_id, body, _credentials(request), now=now)
    except SenderRefused as refusal:
        peer = request.META.get("REMOTE_ADDR", "")
        record_refused_sender(
            peer=peer, reason=refusal.reason[:80], count=1, now=now, certificate_id=refusal.certificate_id
        )
        return _unauthorized(endpoint_id)
    answer = receive(body, sender=sender, now=now, transport=InboundMessage.Transport.HTTPS, charset=_declared(charset))
    enqueue_after_commit(tasks.apply_received)
    return HttpResponse(b"".join(answer.messages), content_type=f"{kind}; charset={charset or 'utf-8'}")


def _body(request: HttpRequest) -> bytes | None:
    """Return the body, or None when it is too long; a length that is too large is not even read."""
    most = settings.HL7_MESSAGE_BYTES
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > most:
        return None
    try:
        body: bytes = request.body
    except RequestDataTooBig:
        return None
    return body if len(body) <= most else None


def _content_type(request: HttpRequest) -> tuple[str, str]:
    headers = Headers()
    headers["Content-Type"] = request.META.get("CONTENT_TYPE", "")[:200]
    return headers.get_content_type(), str(headers.get_param("charset", "") or "").lower()


def _declared(charset: str) -> str | None:
    """Return the charset in the words of MSH-18, which it wins over; None when the header names none."""
    if not charset:
        return None
    return _CHARSETS.get(charset, charset.upper().replace("ISO-8859-", "8859/"))


def _credentials(request: HttpRequest) -> Credentials:
    headers = request.headers
    return Credentials(
        proxy_secret=headers.get("X-HL7-Proxy-Secret", ""),
        certificate=headers.get("Client-Cert", "") or headers.get("X-SSL-Client-Cert", ""),
        signature=headers.get("HL7-Signature", ""),
        authorization=headers.get("Authorization", ""),
    )


def _unauthorized(endpoint_id: UUID) -> HttpResponse:
    response = HttpResponse(status=401)
    scheme = "Basic" if needs_password(endpoint_id) else "HL7-Signature"
    response["WWW-Authenticate"] = f'{scheme} realm="HL7"'
    return response
