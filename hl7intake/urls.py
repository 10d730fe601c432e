"""Addresses that senders of HL7 use."""

from django.urls import path

from hl7intake import webhooks

app_name = "hl7_senders"
urlpatterns = [path("<uuid:endpoint_id>", webhooks.take, name="take")]
