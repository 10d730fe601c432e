"""An attempt is stored when it begins and when it ends; one that was left in between began and did not end."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('launch', '0006_provider_accounts'),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE launch_launchattempt SET state = 'started' WHERE state = 'authorized'", migrations.RunSQL.noop
        ),
        migrations.AlterField(
            model_name='launchattempt',
            name='state',
            field=models.CharField(choices=[('started', 'Started'), ('checking', 'Tested their device'), ('arrived', 'Arrived'), ('joined', 'Went on to Teams'), ('refused', 'Refused')], default='started', max_length=10),
        ),
    ]
