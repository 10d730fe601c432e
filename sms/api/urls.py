"""Addresses of the texts in the REST API, below ``/api/v1/``."""

from django.urls import path

from sms.api import connections, consents, numbers, words

app_name = "sms_api"
_ENDPOINT, _NUMBER, _ORDER = (
    "endpoints/<uuid:endpoint_id>/sms",
    "sms/numbers/<uuid:number_id>",
    "sms/orders/<uuid:order_id>",
)

urlpatterns = [
    path("sms/consents", consents.ConsentListView.as_view(), name="consents"),
    path("sms/consents/<slug:kind>/withdraw", consents.ConsentWithdrawView.as_view(), name="consent_withdraw"),
    path("sms/numbers", numbers.NumberListView.as_view(), name="numbers"),
    path(f"{_NUMBER}/verification", numbers.NumberVerificationView.as_view(), name="number_verification"),
    path(f"{_NUMBER}/release", numbers.NumberReleaseView.as_view(), name="number_release"),
    path(_ORDER, numbers.OrderView.as_view(), name="order"),
    path(f"{_ORDER}/cancel", numbers.OrderCancelView.as_view(), name="order_cancel"),
    path(f"{_ORDER}/resume", numbers.OrderResumeView.as_view(), name="order_resume"),
    path("sms/words", words.LanguageListView.as_view(), name="languages"),
    path("sms/words/<slug:language>", words.LanguageView.as_view(), name="words"),
    path(_ENDPOINT, connections.SmsView.as_view(), name="connection"),
    path(f"{_ENDPOINT}/pause", connections.SmsPauseView.as_view(), name="pause"),
    path(f"{_ENDPOINT}/unpause", connections.SmsUnpauseView.as_view(), name="unpause"),
    path(f"{_ENDPOINT}/share", connections.SmsShareView.as_view(), name="share"),
]
