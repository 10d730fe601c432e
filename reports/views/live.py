"""Pages that keep themselves up to date: the same address answers the refresh, with nothing when nothing changed."""

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

_UNCHANGED = 204
# What differs between two renderings of the same state: the form token, and the age that scripts count on from.
_VOLATILE = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|data-age="\d+"')


def live_page(request: HttpRequest, template: str, part: str, context: dict[str, Any]) -> HttpResponse:
    """Show ``template`` with its living ``part`` inside; a refresh (htmx) gets the part alone, or 204.

    The page sends back as ``seen`` what it shows, so that an unchanged page keeps focus and open menus.
    """
    body = render_to_string(part, context, request)
    version = hashlib.sha256(_VOLATILE.sub("", body).encode()).hexdigest()[:16]
    if request.headers.get("HX-Request") != "true":
        return render(request, template, {**context, "body": body, "version": version})
    if request.GET.get("seen") == version:
        return HttpResponse(status=_UNCHANGED)
    return render(request, "reports/live_part.html", {"body": body, "version": version})
