"""Change drafts as the portal's form does: the same checks, the same look at the address before it is saved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework.exceptions import ValidationError

from config_portal.api.base import checked
from config_portal.forms.endpoint import EndpointForm
from config_portal.models import Environment, FhirEndpoint, Organization
from config_portal.services.endpoints import EDITABLE, add_endpoint, change_endpoint
from config_portal.services.preview import Preview, preview

_LISTS = ("visit_types", "departments", "frame_ancestors")


def write_endpoint(
    organization: Organization, endpoint: FhirEndpoint | None, given: Mapping[str, Any], *, actor: str, now: datetime
) -> FhirEndpoint:
    """Add an endpoint (``endpoint`` is None) or change the draft of one.

    :param given: by name; of a draft that is changed, what is not named stays.
    :raises ValidationError: naming the fields, in the words of the portal's form.
    :raises ConfigurationError: as :func:`config_portal.services.endpoints.add_endpoint`.
    """
    form = EndpointForm(_as_typed(organization, endpoint, given), endpoint=endpoint)
    typed = checked(form)
    found = _look(organization, endpoint, form, now=now)
    values = {name: typed[name] for name in EDITABLE}
    ways: dict[str, Any] = {
        "values": values,
        "found": found,
        "code": typed["code"],
        "actor": actor,
        "now": now,
    }
    if endpoint is None:
        return add_endpoint(organization, environment=typed["environment"], **ways)
    change_endpoint(endpoint, **ways)
    return endpoint


def _as_typed(organization: Organization, endpoint: FhirEndpoint | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what somebody would have typed into the form."""
    base = endpoint or FhirEndpoint(time_zone=organization.time_zone, environment=Environment.TEST)
    values = {name: getattr(base, name) for name in EDITABLE} | dict(given)
    for name in _LISTS:
        values[name] = "\n".join(values[name])
    return values


def _look(
    organization: Organization, endpoint: FhirEndpoint | None, form: EndpointForm, *, now: datetime
) -> Preview | None:
    """Look at a new address, and refuse what the portal would refuse."""
    values = form.cleaned_data
    if endpoint is not None and endpoint.base_url == values["base_url"] and endpoint.discovered:
        return None
    client_id = values["backend_client_id"] or values["provider_client_id"] or values["patient_client_id"]
    found = preview(values["base_url"], organization=organization, client_id=client_id, now=now)
    if found.never_saved is not None:
        raise ValidationError({"base_url": [found.never_saved.cause]})
    if not found.is_right and not values["save_anyway"]:
        causes = [result.cause for _, result in found.lines if result.outcome != "passed"]
        raise ValidationError({"save_anyway": ["Not everything could be verified; true saves all the same.", *causes]})
    return found
