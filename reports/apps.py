from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "Reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.models import Role
        from core import metrics
        from core.navigation import NavItem, register
        from reports import receivers  # noqa: F401 - connects them; models must be loaded first
        from reports.metrics import OperationsCollector

        metrics.register(OperationsCollector())
        staff = frozenset({Role.ADMIN, Role.ANALYST, Role.SUPPORT})
        readers = frozenset({Role.ADMIN, Role.SUPPORT, Role.REPORT_READER})
        register(NavItem(label="Visits", url_name="visits:board", order=20, roles=staff, icon="calendar"))
        operators = frozenset({Role.ADMIN, Role.SUPPORT})
        register(NavItem(label="Status", url_name="status:page", order=54, roles=operators, icon="refresh"))
        desk = frozenset({Role.SUPPORT})
        register(NavItem(label="Support desk", url_name="admin:index", order=55, roles=desk, icon="search"))
        register(NavItem(label="Reports", url_name="reports:usage", order=40, roles=readers, icon="chart"))
