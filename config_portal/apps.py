from django.apps import AppConfig


class ConfigPortalConfig(AppConfig):
    name = "config_portal"
    verbose_name = "Configuration portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.models import Role
        from config_portal import (
            checks,
            receivers,  # noqa: F401 - connects the receivers
            steps,
        )
        from core.navigation import NavItem, register

        steps.register()
        checks.register()

        setup = frozenset({Role.ADMIN, Role.ANALYST})
        register(NavItem(label="Setup", url_name="portal:setup", order=10, roles=setup, icon="checklist"))
        auditors = frozenset({Role.ADMIN, Role.ANALYST, Role.SUPPORT})
        register(NavItem(label="Audit", url_name="portal:audit", order=50, icon="shield", roles=auditors))
        register(
            NavItem(
                label="Settings", url_name="portal:settings", order=60, icon="settings", roles=frozenset({Role.ADMIN})
            )
        )
