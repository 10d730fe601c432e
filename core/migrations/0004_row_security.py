"""The audit trail shows each organization its own events only, whoever asks (ADR 20)."""

from django.db import migrations

from core.row_security import guard


class Migration(migrations.Migration):
    dependencies = [("core", "0003_audit_verification")]
    operations = [guard("core_auditevent"), guard("core_auditchain"), guard("core_auditverification")]
