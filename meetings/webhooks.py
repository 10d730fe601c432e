"""The addresses that Microsoft Graph posts to: echo the handshake, or store and answer 202."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.access import access
from core.jobs import enqueue_after_commit
from meetings.models import InboundNotification
from meetings.services import notifications
from meetings.tasks import process_notification

# An encrypted event takes 3 to 6 kB; Graph bundles some dozens at most.
MOST_BYTES = 256 * 1024
LONGEST_TOKEN = 2048
_ACCEPTED, _BAD_REQUEST, _TOO_LARGE = 202, 400, 413


@csrf_exempt
@require_POST
@access("signed")
def graph_notifications(request: HttpRequest) -> HttpResponse:
    """Take what happened in a meeting."""
    return _take(request, channel=InboundNotification.Channel.NOTIFICATIONS)


@csrf_exempt
@require_POST
@access("signed")
def graph_lifecycle(request: HttpRequest) -> HttpResponse:
    """Take what happened to a subscription."""
    return _take(request, channel=InboundNotification.Channel.LIFECYCLE)


def _take(request: HttpRequest, *, channel: str) -> HttpResponse:
    token = request.GET.get("validationToken")
    if token is not None:
        return _echo(token)
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        return HttpResponse(status=_TOO_LARGE)
    with transaction.atomic():
        stored = notifications.store(body, channel=channel, now=timezone.now())
        if stored is not None:
            enqueue_after_commit(process_notification, str(stored.pk))
    return HttpResponse(status=_ACCEPTED)


def _echo(token: str) -> HttpResponse:
    """Answer Graph's handshake. Plain text, so that whatever somebody else sends here is never a page."""
    if not 0 < len(token) <= LONGEST_TOKEN:
        return HttpResponse(status=_BAD_REQUEST)
    return HttpResponse(token, content_type="text/plain; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"})
