from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "sandbox"
    verbose_name = "Sandbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core.navigation import NavItem, register

        pages = (("Schedule", "schedule"), ("MyChart", "mychart"), ("Phones", "phones:wall"), ("Rooms", "rooms:list"))
        more = (("Faults", "faults"), ("Ledger", "ledger"))
        for order, (label, name) in enumerate((*pages, *more)):
            register(NavItem(label=label, url_name=name, order=order))
