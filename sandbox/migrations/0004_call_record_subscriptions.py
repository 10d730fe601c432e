import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sandbox', '0003_group_visits'),
    ]

    operations = [
        migrations.AlterField(
            model_name='subscription',
            name='meeting',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='sandbox.meeting'),
        ),
    ]
