"""Addresses that SMS suppliers call."""

from django.urls import path

from sms import webhooks

app_name = "sms"
urlpatterns = [
    path("acs/events", webhooks.acs_events, name="acs_events"),
    path("twilio/status/<uuid:key>", webhooks.twilio_status, name="twilio_status"),
    path("twilio/incoming", webhooks.twilio_incoming, name="twilio_incoming"),
]
