"""Note every change that may alter a figure, whatever made it, and take in what is there already.

The functions compare old with new, not the WHEN clauses of the triggers: PostgreSQL lets no column change its type
that a trigger's definition names.
"""

from django.db import migrations

NOTE = """
CREATE FUNCTION reports_note_visit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR
        (OLD.state, OLD.starts_at, OLD.ends_at, OLD.visit_type, OLD.department, OLD.group_visit_id) IS DISTINCT FROM
        (NEW.state, NEW.starts_at, NEW.ends_at, NEW.visit_type, NEW.department, NEW.group_visit_id)
    THEN
        INSERT INTO reports_change (kind, key) VALUES ('v', NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER INSERT OR UPDATE ON visits_visit
    FOR EACH ROW EXECUTE FUNCTION reports_note_visit();

CREATE FUNCTION reports_note_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, OLD.error_code, OLD.join_web_url IS NULL) IS DISTINCT FROM
        (NEW.state, NEW.error_code, NEW.join_web_url IS NULL)
    THEN
        INSERT INTO reports_change (kind, key) VALUES ('v', NEW.visit_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER UPDATE ON meetings_meeting
    FOR EACH ROW EXECUTE FUNCTION reports_note_meeting();

CREATE FUNCTION reports_note_launch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.visit_id IS NOT NULL AND (OLD.error_code, OLD.visit_id) IS DISTINCT FROM (NEW.error_code, NEW.visit_id) THEN
        INSERT INTO reports_change (kind, key) VALUES ('v', NEW.visit_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER UPDATE ON launch_launchattempt
    FOR EACH ROW EXECUTE FUNCTION reports_note_launch();

CREATE FUNCTION reports_note_presence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO reports_change (kind, key) VALUES ('p', OLD.participant_id);
    ELSIF TG_OP = 'INSERT' OR (OLD.at, OLD.kind, OLD.is_superseded) IS DISTINCT FROM (NEW.at, NEW.kind, NEW.is_superseded)
    THEN
        INSERT INTO reports_change (kind, key) VALUES ('p', NEW.participant_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER INSERT OR UPDATE OR DELETE ON meetings_presenceevent
    FOR EACH ROW EXECUTE FUNCTION reports_note_presence();

CREATE FUNCTION reports_note_participant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.role, OLD.ehr_user_index) IS DISTINCT FROM (NEW.role, NEW.ehr_user_index) THEN
        INSERT INTO reports_change (kind, key) VALUES ('p', NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER UPDATE ON meetings_participant
    FOR EACH ROW EXECUTE FUNCTION reports_note_participant();

CREATE FUNCTION reports_note_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('pending', 'sending') THEN
            INSERT INTO reports_change (kind, key, at) VALUES ('t', NEW.visit_id, NEW.due_at);
        END IF;
    ELSIF (NEW.state NOT IN ('pending', 'sending') OR OLD.state NOT IN ('pending', 'sending')) AND
        (OLD.state, OLD.report_status, OLD.segments, OLD.due_at, OLD.accepted_at, OLD.supplier, OLD.attempts)
        IS DISTINCT FROM
        (NEW.state, NEW.report_status, NEW.segments, NEW.due_at, NEW.accepted_at, NEW.supplier, NEW.attempts)
    THEN
        INSERT INTO reports_change (kind, key, at) VALUES ('t', NEW.visit_id, NEW.due_at);
        IF OLD.due_at <> NEW.due_at THEN
            INSERT INTO reports_change (kind, key, at) VALUES ('t', OLD.visit_id, OLD.due_at);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER INSERT OR UPDATE ON sms_smsmessage
    FOR EACH ROW EXECUTE FUNCTION reports_note_text();

INSERT INTO reports_change (kind, key) SELECT 'v', id FROM visits_visit;
INSERT INTO reports_change (kind, key, at)
    SELECT 't', visit_id, due_at FROM sms_smsmessage WHERE state NOT IN ('pending', 'sending');
"""
FORGET = """
DROP TRIGGER reports_note ON visits_visit;
DROP TRIGGER reports_note ON meetings_meeting;
DROP TRIGGER reports_note ON launch_launchattempt;
DROP TRIGGER reports_note ON meetings_presenceevent;
DROP TRIGGER reports_note ON meetings_participant;
DROP TRIGGER reports_note ON sms_smsmessage;
DROP FUNCTION reports_note_visit();
DROP FUNCTION reports_note_meeting();
DROP FUNCTION reports_note_launch();
DROP FUNCTION reports_note_presence();
DROP FUNCTION reports_note_participant();
DROP FUNCTION reports_note_text();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0001_facts_and_days"),
        ("launch", "0001_initial"),
        ("meetings", "0003_reconciliation"),
        ("sms", "0002_engine"),
        ("visits", "0004_group_visit"),
    ]
    operations = [migrations.RunSQL(NOTE, FORGET)]
