"""What the hospital chooses for one FHIR endpoint: a draft, until it is approved."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config_portal.models import FhirEndpoint
from core import audit
from writeback.models import WritebackConfiguration
from writeback.models.configuration import AuthorizationKind, DeviceTestMeans, Means
from writeback.services.choices import PART, snapshot_part

FIELDS = (
    "means", "device_tests", "device_test_service", "authorization", "basic_username", "observation_system",
    "presence_code", "device_test_code", "most_at_once", "most_a_second",
)  # fmt: skip


def draft_of(endpoint: FhirEndpoint) -> WritebackConfiguration:
    """Return the draft of ``endpoint``; one with the defaults, not stored yet, when there is none."""
    found = WritebackConfiguration.objects.filter(endpoint=endpoint).first()
    return found or WritebackConfiguration(endpoint=endpoint)


@transaction.atomic
def save_draft(
    endpoint: FhirEndpoint,
    choices: Mapping[str, Any],
    *,
    connection_status: Mapping[str, Any],
    password: str,
    actor: str,
) -> list[str]:
    """Store ``choices`` (see ``FIELDS``) and how the service is called as the draft; return what changed.

    :param password: of the background user, which acts at once; '' keeps the one there is.
    """
    locked = FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)  # one editor at a time
    draft = draft_of(locked)
    before = {name: getattr(draft, name) for name in FIELDS} | {"connection_status": locked.connection_status}
    for name in FIELDS:
        setattr(draft, name, choices[name])
    if password:
        draft.basic_password = password
    draft.save()
    locked.connection_status = dict(connection_status)
    locked.save(update_fields=["connection_status"])
    endpoint.connection_status = locked.connection_status
    after = {name: getattr(draft, name) for name in FIELDS} | {"connection_status": locked.connection_status}
    changes = [
        {"what": name, "was": before[name], "now": after[name]} for name in before if before[name] != after[name]
    ]
    if changes or password:
        audit.record(
            "writeback.setup_changed",
            organization_id=locked.organization_id,
            actor=actor,
            subject=locked,
            changes=changes,
            password_replaced=bool(password),
        )
    return [str(change["what"]) for change in changes]


def needs_approval(endpoint: FhirEndpoint) -> bool:
    """Return whether what is drafted differs from what was approved and runs."""
    approved = endpoint.approved_version.snapshot if endpoint.approved_version else {}
    is_same_part = snapshot_part(endpoint) == approved.get(PART, {})
    return not is_same_part or endpoint.connection_status != approved.get("endpoint", {}).get("connection_status")


def check(choices: Mapping[str, Any], *, has_password: bool) -> dict[str, str]:
    """Return what is missing for ``choices`` to work: field → sentence."""
    is_basic = choices["authorization"] == AuthorizationKind.BASIC
    is_row = choices["means"] == Means.OBSERVATION
    is_test_row = choices["device_tests"] == DeviceTestMeans.OBSERVATION
    is_test_service = choices["device_tests"] == DeviceTestMeans.SERVICE
    mapped = "Enter the code that is mapped to a flowsheet row."
    rules = (
        ("basic_username", is_basic, choices["basic_username"], "Enter the background user of Epic."),
        ("basic_password", is_basic, has_password, "Enter the password of the background user."),
        (
            "observation_system",
            is_row or is_test_row,
            choices["observation_system"],
            "An Observation needs the system of its code.",
        ),
        ("presence_code", is_row, choices["presence_code"], mapped),
        ("device_test_code", is_test_row, choices["device_test_code"], mapped),
        (
            "device_test_path",
            is_test_service,
            choices["device_test_service"].get("path"),
            "Enter the path of the service that takes device tests.",
        ),
    )
    return {field: problem for field, is_needed, value, problem in rules if is_needed and not value}
