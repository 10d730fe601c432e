"""The audit trail refuses changes in the database itself, whoever asks."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER core_auditevent_append_only BEFORE UPDATE OR DELETE ON core_auditevent
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
"""
ALLOW = """
DROP TRIGGER core_auditevent_append_only ON core_auditevent;
DROP FUNCTION core_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
