"""Everything that runs on a clock. Seconds, never wall-clock times: those skip or repeat an hour twice a year.

Each tick only looks for rows that are due, so two schedulers, a late one or a missed tick do no harm.
"""

from typing import Any

_TICKS: dict[str, float] = {
    "core.pulse": 10,
    "core.export_audit_heads": 3600,  # looks every hour, exports once a day
    "core.report_purge": 3600,  # likewise
    "config_portal.run_waiting_preflights": 15,
    "config_portal.advance_rotations": 60,
    "sms.deliver_due": 5,
    "sms.recover_abandoned": 15,
    "sms.answer_due": 10,
    "sms.purge": 300,
    "sms.advance_orders": 2,
    "sms.check_verifications": 300,
    "visits.purge": 300,
    "visits.purge_ids": 3600,
    "meetings.purge_identities": 3600,
    "meetings.process_stored": 10,
    "meetings.subscribe_due": 15,
    "meetings.watch_call_records": 60,
    "meetings.synchronize_due": 20,
    "meetings.prepare_due": 30,
    "meetings.reconcile_due": 30,
    "meetings.purge_notifications": 3600,
    "meetings.warn_of_expiry": 3600,
    "writeback.sweep": 5,
    "writeback.reconcile": 3600,  # looks every hour, reconciles once a day
    "hl7intake.apply_received": 5,
    "hl7intake.wipe": 600,
    "hl7intake.watch_senders": 300,
    "launch.forget": 3600,
    "reports.refresh": 15,
    "reports.export_due": 30,
    "reports.send_views": 60,
    "reports.sweep_call_records": 300,  # each organization once an hour
    "reports.look_at_news": 15,
    "reports.forget": 3600,
}

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # A tick that waited longer than its interval is of no use: the next one does its work.
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}}
    for name, seconds in _TICKS.items()
}
