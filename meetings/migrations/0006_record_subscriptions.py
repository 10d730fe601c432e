import core.crypto
import core.models
import django.db.models.deletion
import meetings.models.graph
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('config_portal', '0007_report_scope'),
        ('meetings', '0005_dial_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='RecordSubscription',
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
                ('graph_id', models.CharField(blank=True, max_length=64)),
                ('client_state', core.crypto.EncryptedTextField(default=meetings.models.graph.new_client_state)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('client_id', models.UUIDField(blank=True, null=True)),
                ('tenant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='record_subscription', to='config_portal.teamstenant')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='record_subscription_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('graph_id', ''), _negated=True), fields=('graph_id',), name='record_subscription_graph_id')],
            },
        ),
    ]
