"""Addresses of the SMS setup, below ``/setup/sms/``."""

from django.urls import path

from sms.views import numbers, overview, setup, words

app_name = "sms_setup"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("consents", overview.give_consents, name="give_consents"),
    path("consents/<slug:kind>/withdraw", overview.withdraw, name="withdraw"),
    path("numbers/new", numbers.generate, name="generate"),
    path("numbers/<uuid:number_id>", numbers.number, name="number"),
    path("numbers/<uuid:number_id>/verification", numbers.verification, name="verification"),
    path("numbers/<uuid:number_id>/release", numbers.release, name="release"),
    path("orders/<uuid:order_id>", numbers.order, name="order"),
    path("orders/<uuid:order_id>/cancel", numbers.cancel, name="cancel_order"),
    path("orders/<uuid:order_id>/resume", numbers.resume, name="resume_order"),
    path("connections/<uuid:endpoint_id>", setup.endpoint, name="endpoint"),
    path("languages", words.add_language, name="add_language"),
    path("words/<slug:language>", words.words, name="words"),
    path("words/<slug:language>/<slug:kind>/preview", words.preview, name="preview"),
]
