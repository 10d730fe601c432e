from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('meetings', '0006_record_subscriptions'),
    ]

    operations = [
        migrations.AddField(
            model_name='recordsubscription',
            name='notification_url',
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
