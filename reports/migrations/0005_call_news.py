import core.models
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('config_portal', '0007_report_scope'),
        ('reports', '0004_call_quality'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallNews',
            fields=[
                ('id', models.UUIDField(default=core.models.new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(default='pending', max_length=16)),
                ('due_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('attempt_id', models.UUIDField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('error_code', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('graph_id', models.UUIDField()),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='config_portal.organization')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='call_news_due')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'graph_id'), name='call_news_once')],
            },
        ),
    ]
