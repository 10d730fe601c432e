"""Health, and the pages for requests that cannot go on."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import audit
from core import metrics as core_metrics
from core.access import access
from core.context import new_reference
from core.errors import ConnectorError
from core.health import readiness
from core.page import ErrorPage


@access("public")
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process lives; for restarts, not for routing."""
    return JsonResponse({"status": "alive"})


@access("public")
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part works, else 503; names the parts, nothing else."""
    parts = readiness()
    return JsonResponse({"ready": all(parts.values()), "parts": parts}, status=200 if all(parts.values()) else 503)


@access("signed")
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer monitoring with everything that is measured, if it may ask."""
    if not core_metrics.is_allowed(request):
        return HttpResponse(status=403)
    return HttpResponse(core_metrics.exposition(), content_type=core_metrics.CONTENT_TYPE)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Explain that a form came without its cookie; Django calls this."""
    page = ErrorPage(
        title="This page could not be sent",
        happened="Your browser did not send back the cookie that belongs to this page.",
        todo="Go back, load the page again and repeat. If it happens again, allow cookies for this site.",
    )
    return render(request, "core/error.html", {"error": page}, status=403)


def refusal(
    request: HttpRequest,
    error: ConnectorError,
    *,
    title: str,
    todo: str = "",
    status: int = 400,
    reference: str = "",
    template: str = "core/error.html",
    **audited: Any,
) -> HttpResponse:
    """Show a human page for ``error`` with a reference number that support staff can search.

    :param reference: of what was refused, when it already has one.
    :param template: a page for other readers than staff.
    :param audited: what the audit event says beyond the code; ``organization_id`` and ``subject`` too.
    """
    reference = reference or new_reference()
    audit.record("request.refused", reference=reference, code=error.code, **audited)
    page = ErrorPage(title=title, happened=error.user_message, todo=todo, reference=reference)
    return render(request, template, {"error": page}, status=status)
