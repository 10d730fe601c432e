"""Sums of the days of calls, and notes of what changes them.

What is there already is summed by the next refreshing: it sums every day of organizations that it does not know.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

NOTE = """
CREATE FUNCTION reports_note_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.visit_id, OLD.started_at, OLD.good, OLD.poor, OLD.unclassified) IS NOT DISTINCT FROM
        (NEW.visit_id, NEW.started_at, NEW.good, NEW.poor, NEW.unclassified)
    THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO reports_change (kind, key) VALUES ('c', NEW.visit_id);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO reports_change (kind, key, at) VALUES ('o', OLD.organization_id, OLD.started_at);
        IF TG_OP = 'DELETE' OR OLD.visit_id <> NEW.visit_id THEN
            INSERT INTO reports_change (kind, key) VALUES ('c', OLD.visit_id);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER INSERT OR UPDATE OR DELETE ON reports_callrecord
    FOR EACH ROW EXECUTE FUNCTION reports_note_call();

CREATE FUNCTION reports_note_streams() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reports_change (kind, key)
        SELECT DISTINCT 'c', record.visit_id FROM changed JOIN reports_callrecord AS record ON record.id = record_id;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note_new AFTER INSERT ON reports_callstream REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reports_note_streams();
CREATE TRIGGER reports_note_changed AFTER UPDATE ON reports_callstream REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reports_note_streams();
CREATE TRIGGER reports_note_gone AFTER DELETE ON reports_callstream REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reports_note_streams();

CREATE FUNCTION reports_note_test() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO reports_change (kind, key) VALUES ('c', OLD.visit_id);
    ELSIF TG_OP = 'INSERT' OR
        (OLD.visit_id, OLD.created_at, OLD.connection, OLD.camera, OLD.microphone, OLD.speaker, OLD.call)
        IS DISTINCT FROM
        (NEW.visit_id, NEW.created_at, NEW.connection, NEW.camera, NEW.microphone, NEW.speaker, NEW.call)
    THEN
        INSERT INTO reports_change (kind, key) VALUES ('c', NEW.visit_id);
        IF TG_OP = 'UPDATE' AND OLD.visit_id <> NEW.visit_id THEN
            INSERT INTO reports_change (kind, key) VALUES ('c', OLD.visit_id);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note AFTER INSERT OR UPDATE OR DELETE ON launch_devicetest
    FOR EACH ROW EXECUTE FUNCTION reports_note_test();

CREATE FUNCTION reports_note_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.endpoint_id, OLD.department, OLD.visit_type) IS DISTINCT FROM
        (NEW.endpoint_id, NEW.department, NEW.visit_type)
    THEN
        INSERT INTO reports_change (kind, key) VALUES ('c', NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reports_note_place AFTER UPDATE ON visits_visit
    FOR EACH ROW EXECUTE FUNCTION reports_note_place();

DELETE FROM reports_rolledorganization;
"""
FORGET = """
DROP TRIGGER reports_note ON reports_callrecord;
DROP TRIGGER reports_note_new ON reports_callstream;
DROP TRIGGER reports_note_changed ON reports_callstream;
DROP TRIGGER reports_note_gone ON reports_callstream;
DROP TRIGGER reports_note ON launch_devicetest;
DROP TRIGGER reports_note_place ON visits_visit;
DROP FUNCTION reports_note_call();
DROP FUNCTION reports_note_streams();
DROP FUNCTION reports_note_test();
DROP FUNCTION reports_note_place();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('config_portal', '0007_report_scope'),
        ('launch', '0002_device_tests'),
        ('reports', '0006_calls_and_summaries'),
        ('visits', '0005_row_security'),
    ]

    operations = [
        migrations.AlterField(
            model_name='change',
            name='kind',
            field=models.CharField(choices=[('v', 'A visit'), ('p', 'A participant of a visit'), ('t', 'The visit of a text that was due at ``at``'), ('c', 'A visit with calls'), ('o', 'An organization with a call at ``at`` that is there no more')], max_length=1),
        ),
        migrations.CreateModel(
            name='CallDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('calendar', models.CharField(choices=[('local', 'Time zone of the organization'), ('utc', 'UTC')], max_length=5)),
                ('level', models.PositiveSmallIntegerField(choices=[(0, 'Nothing else'), (1, 'Department'), (2, 'Visit type'), (3, 'Department and visit type')])),
                ('day', models.DateField()),
                ('department', models.CharField(blank=True, max_length=60)),
                ('visit_type', models.CharField(blank=True, max_length=60)),
                ('has_good', models.BooleanField()),
                ('has_poor', models.BooleanField()),
                ('has_unclassified', models.BooleanField()),
                ('calls', models.PositiveIntegerField()),
                ('good', models.PositiveIntegerField()),
                ('poor', models.PositiveIntegerField()),
                ('unclassified', models.PositiveIntegerField()),
                ('aspects', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)),
                ('names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('good_counts', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None)),
                ('poor_counts', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None)),
                ('unclassified_counts', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None)),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='config_portal.fhirendpoint')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='config_portal.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'calendar', 'level', 'day', 'endpoint', 'department', 'visit_type', 'has_good', 'has_poor', 'has_unclassified'), name='call_day_once')],
            },
        ),
        migrations.CreateModel(
            name='RepeatedCall',
            fields=[
                ('record', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='reports.callrecord')),
                ('started_at', models.DateTimeField()),
                ('department', models.CharField(blank=True, max_length=60)),
                ('visit_type', models.CharField(blank=True, max_length=60)),
                ('has_good', models.BooleanField()),
                ('has_poor', models.BooleanField()),
                ('has_unclassified', models.BooleanField()),
                ('results', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), size=None)),
                ('had_trouble', models.BooleanField()),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='config_portal.fhirendpoint')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='config_portal.organization')),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='visits.visit')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'started_at'], name='repeated_call_by_start')],
            },
        ),
        migrations.RunSQL(NOTE, FORGET),
    ]
