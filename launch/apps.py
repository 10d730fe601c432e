from django.apps import AppConfig


class LaunchConfig(AppConfig):
    name = "launch"
    verbose_name = "Launch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config_portal import snapshot
        from core import retention
        from launch import checks, receivers, records, setup_step  # noqa: F401 - connects the receivers
        from launch.services import linking
        from launch.services.retention import count_overdue_identities

        retention.register("launch_identities", count_overdue_identities)
        checks.register()
        records.register()
        setup_step.register_step()
        snapshot.register(
            linking.PART,
            linking.snapshot_part,
            title="Context-aware links",
            labels=linking.LABELS,
            sentence=linking.sentence,
            related=("context_link",),
        )
