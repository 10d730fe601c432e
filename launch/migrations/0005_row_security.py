"""Launches, invitations, and what is remembered while a browser is at Epic, are hidden from other organizations (ADR 20)."""

from django.db import migrations

from core.row_security import guard

# Attempts are guarded themselves: whoever sees one may see its state. Why a function: visits/0005.
CREATE = """
CREATE FUNCTION launch_attempt_is_seen(attempt_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM launch_launchattempt AS a WHERE a.id = attempt_id);
END $$;
"""
DROP = "DROP FUNCTION launch_attempt_is_seen(uuid);"


class Migration(migrations.Migration):
    dependencies = [("launch", "0004_invitations")]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        guard("launch_launchattempt"),
        guard("launch_invitation"),
        guard("launch_oauthstate", belongs="launch_attempt_is_seen(attempt_id)"),
    ]
