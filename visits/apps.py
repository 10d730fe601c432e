from django.apps import AppConfig


class VisitsConfig(AppConfig):
    name = "visits"
    verbose_name = "Visits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core import retention
        from visits.services.retention import count_overdue_contacts, count_overdue_ids

        retention.register("phone_numbers", count_overdue_contacts)
        retention.register("visit_ids", count_overdue_ids)
