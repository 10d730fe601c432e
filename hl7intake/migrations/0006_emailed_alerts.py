from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("hl7intake", "0005_answered"),
    ]

    operations = [
        migrations.AddField(
            model_name="sendercertificate",
            name="mailed_days",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="The last of these warnings that was e-mailed", null=True
            ),
        ),
        migrations.AddField(
            model_name="senderwatch",
            name="mailed_at",
            field=models.DateTimeField(blank=True, help_text="The same, once it was e-mailed", null=True),
        ),
    ]
