from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reports', '0005_call_news'),
    ]

    operations = [
        migrations.AlterField(
            model_name='export',
            name='subject',
            field=models.CharField(choices=[('visits', 'Visits'), ('texts', 'Texts'), ('calls', 'Calls'), ('summary', 'One-page summary')], max_length=8),
        ),
        migrations.AlterField(
            model_name='export',
            name='format',
            field=models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel'), ('pdf', 'PDF')], max_length=4),
        ),
    ]
