"""Contacts and links of patients are hidden from every organization but their own (ADR 20)."""

from django.db import migrations

from core.row_security import guard

# A function, because a sub-select in the policy would be planned with every query, also where it is never asked.
CREATE = """
CREATE FUNCTION visits_visit_is_of(visit_id uuid, organization text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM visits_visit AS v WHERE v.id = visit_id AND v.organization_id::text = organization);
END $$;
"""
DROP = "DROP FUNCTION visits_visit_is_of(uuid, text);"
OF_VISIT = "visits_visit_is_of(visit_id, {setting})"


class Migration(migrations.Migration):
    dependencies = [("visits", "0004_group_visit")]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        guard("visits_patientcontact", belongs=OF_VISIT),
        guard("visits_joinlink", belongs=OF_VISIT),
    ]
