"""The ledger, for people and for scripts."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sandbox import ledger
from sandbox.models import LedgerEntry
from sandbox.pages.presenters import LedgerRow, short_name

LONGEST_WAIT = 25.0
MOST_ROWS = 200


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """Answer matching entries; with ``wait``, as soon as there is one."""
    given = request.GET
    try:
        after, wait = int(given.get("after", 0)), min(float(given.get("wait", 0)), LONGEST_WAIT)
    except ValueError:
        return JsonResponse({"error": "after and wait are numbers"}, status=400)
    wanted = {name: given.get(name, "") for name in ("system", "kind", "key")}
    entries = ledger.wait_for(seconds=wait, after=after, **wanted)
    newest = LedgerEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    return JsonResponse({"entries": [_entry(entry) for entry in entries], "last": newest})


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the newest entries, of one system if wanted; ``part=rows`` is the living part alone."""
    system = request.GET.get("system", "")
    entries = LedgerEntry.objects.order_by("-id")
    if system:
        entries = entries.filter(system=system)
    systems = LedgerEntry.objects.order_by("system").values_list("system", flat=True).distinct()
    tabs = [
        ("Everything", "?", not system),
        *((short_name(name), f"?system={name}", name == system) for name in systems),
    ]
    rows = [LedgerRow(entry) for entry in entries[:MOST_ROWS]]
    context = {"rows": rows, "tabs": tabs, "most": MOST_ROWS, "system": system}
    is_part = request.GET.get("part") == "rows"
    return render(request, "sandbox/pages/_ledger_rows.html" if is_part else "sandbox/pages/ledger.html", context)


def _entry(entry: LedgerEntry) -> dict[str, object]:
    return {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "system": entry.system,
        "kind": entry.kind,
        "key": entry.key,
        "data": entry.data,
    }
