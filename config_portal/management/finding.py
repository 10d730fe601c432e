"""Name organizations and FHIR endpoints on the command line."""

from django.core.management.base import CommandError

from config_portal.models import FhirEndpoint, Organization

_LISTED = 20


def find_organization(slug: str) -> Organization:
    """Return the organization with this short name.

    :raises CommandError: when there is none, naming those that exist.
    """
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        known = ", ".join(Organization.objects.order_by("slug").values_list("slug", flat=True)[:_LISTED])
        raise CommandError(f"There is no organization {slug!r}. Known: {known or 'none'}.")
    return organization


def find_endpoint(name: str) -> FhirEndpoint:
    """Return the endpoint called ``organization/endpoint``, such as ``lamna/lamna-test``.

    :raises CommandError: when there is none, naming those that exist.
    """
    organization, _, endpoint = name.partition("/")
    endpoints = FhirEndpoint.objects.select_related("organization")
    found = endpoints.filter(organization__slug=organization, name=endpoint).first()
    if found is None:
        known = ", ".join(f"{one.organization.slug}/{one.name}" for one in endpoints[:_LISTED])
        raise CommandError(f"There is no endpoint {name!r}. Known: {known or 'none'}.")
    return found
