"""The page of faults."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from sandbox import faults
from sandbox.pages.presenters import FaultRow, by_system
from sandbox.pages.problems import explaining


@require_http_methods(["GET", "POST"])
@explaining
def faults_page(request: HttpRequest) -> HttpResponse:
    """Show every fault and switch them on or off."""
    if request.method == "POST":
        faults.replace({choice.name: request.POST.get(choice.name, "") for choice in faults.CHOICES})
        return redirect("faults")
    current = faults.current()
    rows = [FaultRow(choice, current.get(choice.name, "")) for choice in faults.CHOICES]
    context = {
        "groups": by_system(rows),
        "count": len(current),
        "status": f"{len(current)} switched on" if current else "All off",
        "status_tone": "warn" if current else "neutral",
    }
    return render(request, "sandbox/pages/faults.html", context)
