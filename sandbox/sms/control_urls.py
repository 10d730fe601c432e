"""Control interface of the phones, below ``/control/``."""

from django.urls import path

from sandbox.sms import control

urlpatterns = [
    path("phones/<str:e164>", control.phone),
    path("phones/<str:e164>/reply", control.reply),
    path("numbers/<str:e164>", control.number),
    path("acs/validate-webhook", control.validate_webhook),
]
