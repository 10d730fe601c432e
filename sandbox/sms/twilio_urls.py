"""Addresses of Twilio, below ``/twilio/``."""

from django.urls import include, path, re_path

from sandbox.sms import twilio_verifications
from sandbox.sms import twilio_views as views

_account = [
    path("Messages.json", views.Messages.as_view()),
    path("Messages/<str:sid>.json", views.Message.as_view()),
    path("IncomingPhoneNumbers.json", views.Numbers.as_view()),
    path("IncomingPhoneNumbers/<str:sid>.json", views.Number.as_view()),
    re_path(r"^AvailablePhoneNumbers/(?P<country>[A-Z]{2})/(?P<kind>TollFree|Local)\.json$", views.Available.as_view()),
]
urlpatterns = [
    path("2010-04-01/Accounts/<str:account>/", include(_account)),
    path("v1/Tollfree/Verifications", twilio_verifications.Verifications.as_view()),
]
