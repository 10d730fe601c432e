from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("hl7intake", "0004_lean_inbox"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboundmessage",
            name="answered",
            field=models.CharField(
                blank=True,
                default="",
                help_text="MSA-1 of what was sent back, in order; in enhanced mode possibly nothing",
                max_length=5,
            ),
            preserve_default=False,
        ),
        migrations.RunSQL("UPDATE hl7intake_inboundmessage SET answered = ack_code", migrations.RunSQL.noop),
    ]
