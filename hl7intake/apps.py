from django.apps import AppConfig


class Hl7IntakeConfig(AppConfig):
    name = "hl7intake"
    verbose_name = "HL7 intake"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.models import Role
        from config_portal import portability, snapshot
        from core.navigation import NavItem
        from core.navigation import register as register_page
        from hl7intake import records, setup
        from hl7intake.services import portable
        from hl7intake.services.interface import LABELS
        from hl7intake.services.senders import approved_part

        snapshot.register(
            "hl7", approved_part, title="Appointment messages", related=("sender_settings",), labels=LABELS
        )
        portability.register(
            "hl7",
            organization=portability.FilePart(write=portable.write_organization, read=portable.read_organization),
            endpoint=portability.FilePart(write=portable.write, read=portable.read),
        )
        setup.register()
        records.register()
        staff = frozenset({Role.ADMIN, Role.ANALYST, Role.SUPPORT})
        register_page(NavItem(label="HL7 messages", url_name="hl7:inbox", order=32, roles=staff, icon="arrow-right"))
