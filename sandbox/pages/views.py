"""The first page, and a sign of life."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from sandbox import faults, setup


@dataclass(frozen=True)
class Place:
    """A page of the twin, and what it is for."""

    title: str
    url_name: str
    icon: str
    text: str

    @property
    def url(self) -> str:
        """Where it is."""
        return reverse(self.url_name)


_PLACES = (
    Place("Schedule", "schedule", "calendar", "Epic: book, move or cancel a visit, and begin it as the provider."),
    Place("MyChart", "mychart", "person", "The patient's own way into a visit, and a relative's."),
    Place("Phones", "phones:wall", "phone", "Read the texts, follow their links, answer STOP."),
    Place("Rooms", "rooms:list", "video", "Teams: the lobby, the call, and who admits whom."),
    Place("Faults", "faults", "alert", "What goes wrong in real life, on demand."),
    Place("Ledger", "ledger", "checklist", "Everything that Epic, Graph and the phones really received."),
)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process lives."""
    return JsonResponse({"status": "alive"})


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what is here and where to begin."""
    record = setup.record("test", "provider") or setup.record("production", "provider")
    parts = urlsplit(str(record["launch_url"])) if record else None
    context = {
        "faults": len(faults.current()),
        "connector": f"{parts.scheme}://{parts.netloc}/" if parts else "",
        "places": _PLACES,
    }
    return render(request, "sandbox/pages/home.html", context)
