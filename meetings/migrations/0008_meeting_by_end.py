from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0007_record_subscription_url'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='meeting',
            index=models.Index(fields=['organization', 'ended_at'], name='meeting_by_end'),
        ),
    ]
