"""Whose chart a visit belongs to, kept only where the hospital chose to write to it."""

from config_portal.services.connections import approved_configuration
from visits.models import Visit
from writeback.services.choices import approved_choices


def remember_chart(visit: Visit, *, patient_id: str, encounter_id: str) -> None:
    """Keep the FHIR ids that a launch brought, if write-back needs them.

    Not of a group visit: its patients are several, and each launch names another one.

    :param encounter_id: '' when the launch had none.
    :raises ConfigurationError: when nothing is approved, or the endpoint is paused.
    """
    if not patient_id or visit.is_group:
        return
    if not approved_choices(approved_configuration(visit.endpoint)).writes_to_chart:
        return
    visit.fhir_patient_id, visit.fhir_encounter_id = patient_id, encounter_id or visit.fhir_encounter_id
    visit.save(update_fields=["fhir_patient_id", "fhir_encounter_id", "updated_at"])
