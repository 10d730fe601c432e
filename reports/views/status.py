"""The status page: one look at what runs, what waits and what lapses."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from reports.presenters.status import FactRow, QueueRow, is_all_well
from reports.presenters.words import clock
from reports.services import operations
from reports.views.live import live_page


@portal_page(Role.ADMIN, Role.SUPPORT)
@require_safe
def status(request: PortalRequest) -> HttpResponse:
    """Show queues, processes, connections and certificates; live."""
    now, organization = timezone.now(), request.organization
    queues = [QueueRow(queue, now) for queue in operations.queues(organization, now=now)]
    groups = [
        ("Connections", operations.connections(organization, now=now)),
        ("Processes", operations.processes(now=now)),
        ("Certificates", operations.certificates(organization, now=now)),
        ("Privacy", [operations.privacy(now=now)]),
    ]
    rows = [(title, [FactRow(fact) for fact in facts]) for title, facts in groups]
    well = is_all_well(queues, [row for _, group in rows for row in group])
    context = {
        "queues": queues,
        "groups": rows,
        "status": "All well" if well else "Needs attention",
        "status_tone": "ok" if well else "warn",
        "lead": f"Of {organization.name} · as of {clock(now, organization.time_zone)}",
        "zone": organization.time_zone,
    }
    return live_page(request, "reports/status.html", "reports/status_body.html", context)
