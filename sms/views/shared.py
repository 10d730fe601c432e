"""What the pages about texts have in common."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import Role
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from core.page import EnvironmentBand
from sms.models import PhoneNumber

READERS = (Role.ADMIN, Role.ANALYST)
EDITORS = (Role.ADMIN,)
STAFF = (Role.ADMIN, Role.ANALYST, Role.SUPPORT)

_MESSAGES = (
    (
        "messages:texts",
        "Texts",
        "What became of every text. A supplier accepting a text does not mean that the phone has it.",
    ),
    ("messages:numbers", "Numbers", "How each of your numbers did in the last 24 hours."),
    (
        "messages:replies",
        "Replies",
        "Answers that mean neither STOP, START nor HELP. Their words are not kept: the visit tells whom to ask.",
    ),
    (
        "messages:opt_outs",
        "Opt-outs",
        "Phones whose owners want no texts. Only a fingerprint of each number is kept, so nobody can read who it is.",
    ),
    (
        "messages:sending",
        "Pause and share",
        "Both switches act at once, without an approval. Begin with 1% of visits, watch the texts, raise the share.",
    ),
)


def find_endpoint(request: PortalRequest, endpoint_id: UUID) -> FhirEndpoint:
    """Return an endpoint of the organization being worked in and put its environment across the page.

    :raises Http404: it is another's, or none.
    """
    mine = FhirEndpoint.objects.for_organization(request.organization).select_related(
        "organization", "approved_version"
    )
    endpoint = get_object_or_404(mine, pk=endpoint_id)
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
    return endpoint


def find_number(request: PortalRequest, number_id: UUID) -> PhoneNumber:
    """Return a number that the organization being worked in holds.

    :raises Http404: it is another's, given back, or none.
    """
    mine = PhoneNumber.objects.for_organization(request.organization).filter(released_at=None)
    return get_object_or_404(mine.select_related("organization"), pk=number_id)


def crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the way from Setup to a page of the SMS setup."""
    return [("Setup", reverse("portal:setup")), ("SMS notifications", reverse("sms_setup:overview")), *more]


def can_edit(request: PortalRequest) -> bool:
    """Return whether the person may change the setup; others see it."""
    return bool(set(EDITORS) & request.roles)


def messages_section(current: str) -> dict[str, object]:
    """Return what every page of the section Messages shows: the tabs, the current one marked, and its lead."""
    return {
        "tabs": [(label, reverse(name), name == current) for name, label, _ in _MESSAGES],
        "lead": next(lead for name, _, lead in _MESSAGES if name == current),
    }
