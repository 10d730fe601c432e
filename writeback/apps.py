from django.apps import AppConfig


class WritebackConfig(AppConfig):
    name = "writeback"
    verbose_name = "Write-back"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from config_portal import portability, snapshot
        from core import restoring
        from writeback import receivers  # noqa: F401 - connects the signal handlers
        from writeback.services import portable
        from writeback.services.choices import PART, restore, snapshot_part
        from writeback.services.restoring import settle
        from writeback.steps import register_step

        snapshot.register(
            PART, snapshot_part, title="News to Epic", related=("writeback_configuration",), restore=restore
        )
        portability.register("writeback", endpoint=portability.FilePart(write=portable.write, read=portable.read))
        register_step()
        restoring.register("write-backs", settle)
