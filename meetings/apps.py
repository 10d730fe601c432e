from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    name = "meetings"
    verbose_name = "Meetings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core import retention
        from meetings import (
            checks,
            receivers,  # noqa: F401 - connects them; models must be loaded first
            setup_step,
        )
        from meetings.services.retention import count_overdue_identities

        retention.register("participant_identities", count_overdue_identities)
        checks.register()
        setup_step.register()
