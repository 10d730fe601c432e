"""Remember of each ended meeting whether Epic may not have been told what happened, and note what changes that.

Until the next refreshing has compared them, every meeting of the longest period that is shown may differ.
"""

from django.db import migrations, models

NOTE = """
CREATE FUNCTION reports_note_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO reports_change (kind, key) VALUES ('v', OLD.visit_id);
    ELSIF TG_OP = 'INSERT' OR (
        (OLD.state = 'accepted', OLD.kind, OLD.sequence) IS DISTINCT FROM
        (NEW.state = 'accepted', NEW.kind, NEW.sequence)
        AND EXISTS (SELECT FROM meetings_meeting WHERE id = NEW.meeting_id AND ended_at IS NOT NULL)
    ) THEN
        INSERT INTO reports_change (kind, key) VALUES ('v', NEW.visit_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER INSERT OR UPDATE OR DELETE ON writeback_writebackevent
    FOR EACH ROW EXECUTE FUNCTION reports_note_told();

CREATE FUNCTION reports_note_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.ended_at, OLD.reconcile_error) IS DISTINCT FROM (NEW.ended_at, NEW.reconcile_error) THEN
        INSERT INTO reports_change (kind, key) VALUES ('v', NEW.visit_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note_end AFTER UPDATE ON meetings_meeting
    FOR EACH ROW EXECUTE FUNCTION reports_note_end();

CREATE FUNCTION reports_note_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.source, OLD.sequence) IS DISTINCT FROM (NEW.source, NEW.sequence) THEN
        INSERT INTO reports_change (kind, key) VALUES ('p', NEW.participant_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note_source AFTER UPDATE ON meetings_presenceevent
    FOR EACH ROW EXECUTE FUNCTION reports_note_source();

UPDATE reports_visitfact AS fact SET may_differ = true FROM meetings_meeting AS meeting
 WHERE meeting.visit_id = fact.visit_id AND meeting.ended_at > now() - interval '31 days';
INSERT INTO reports_change (kind, key)
    SELECT 'v', visit_id FROM meetings_meeting WHERE ended_at > now() - interval '31 days' ORDER BY ended_at;
"""
FORGET = """
DROP TRIGGER reports_note ON writeback_writebackevent;
DROP TRIGGER reports_note_end ON meetings_meeting;
DROP TRIGGER reports_note_source ON meetings_presenceevent;
DROP FUNCTION reports_note_told();
DROP FUNCTION reports_note_source();
DROP FUNCTION reports_note_end();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0008_meeting_by_end'),
        ('reports', '0007_days_of_calls'),
        ('writeback', '0002_means_device_tests_circuit'),
    ]

    operations = [
        migrations.AddField(
            model_name='visitfact',
            name='may_differ',
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL(NOTE, FORGET),
        migrations.AddIndex(
            model_name='visitfact',
            index=models.Index(condition=models.Q(('may_differ', True)), fields=['organization'], name='fact_that_may_differ'),
        ),
    ]
