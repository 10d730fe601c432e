from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("hl7intake", "0006_emailed_alerts"),
    ]

    operations = [
        # A message that waits stands in its row: to write it down elsewhere costs a table and an index more, and
        # it is erased soon. What is longer than a page goes there all the same.
        migrations.RunSQL(
            "ALTER TABLE hl7intake_inboundmessage SET (toast_tuple_target = 8160)",
            "ALTER TABLE hl7intake_inboundmessage RESET (toast_tuple_target)",
        ),
    ]
