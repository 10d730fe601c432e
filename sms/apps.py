from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = "Text messages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.models import Role
        from config_portal import portability, snapshot
        from core import metrics, restoring
        from core import retention as privacy
        from core.navigation import NavItem, register
        from sms import (
            receivers,  # noqa: F401 - connects the receivers
            records,
            setup_step,
        )
        from sms.metrics import SmsCollector
        from sms.services import approved_words, portable, retention
        from sms.services.planning import snapshot_part
        from sms.services.restoring import settle

        snapshot.register(
            "sms",
            snapshot_part,
            title="Text messages",
            labels=approved_words.LABELS,
            sentence=approved_words.sentence,
            related=("sms_configuration__number", "sms_configuration__failover_number"),
            related_lists=("organization__sms_templates",),
            restore=approved_words.restore,
        )
        portability.register(
            "sms",
            organization=portability.FilePart(write=portable.write_organization, read=portable.read_organization),
            endpoint=portability.FilePart(write=portable.write, read=portable.read),
        )
        records.register()
        metrics.register(SmsCollector())
        privacy.register("phones_that_wrote_to_us", retention.count_overdue_actions)
        privacy.register("last_digits_on_texts", retention.count_overdue_endings)
        setup_step.register()
        staff = frozenset({Role.ADMIN, Role.ANALYST, Role.SUPPORT})
        register(NavItem(label="Messages", url_name="messages:texts", order=30, roles=staff, icon="message"))
        restoring.register("texts", settle)
