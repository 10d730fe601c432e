from django.apps import AppConfig


class EhrConnectorConfig(AppConfig):
    name = "ehrconnector"
    verbose_name = "EHR connector"
    default_auto_field = "django.db.models.BigAutoField"
