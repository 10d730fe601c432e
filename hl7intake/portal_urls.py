"""Addresses of the intake's pages in the portal; those that senders use are in :mod:`hl7intake.urls`."""

from django.urls import path

from hl7intake.views import certificates, checking, interface, messages, replaying, senders

app_name = "hl7"
urlpatterns = [
    path("setup/certificates/", certificates.certificates, name="certificates"),
    path("setup/certificates/listener.crt", certificates.listener_certificate, name="listener_certificate"),
    path("setup/certificates/<uuid:endpoint_id>/add", certificates.add, name="certificate_add"),
    path("setup/certificates/<uuid:endpoint_id>/confirm", certificates.confirm, name="certificate_confirm"),
    path("setup/certificates/<uuid:certificate_id>/revoke", certificates.revoke_certificate, name="certificate_revoke"),
    path("messages/hl7/", messages.inbox, name="inbox"),
    path("messages/hl7/replay", replaying.replay_found, name="replay_found"),
    path("messages/hl7/senders", senders.senders, name="senders"),
    path("messages/hl7/senders/kept", senders.retention, name="retention"),
    path("messages/hl7/senders/<uuid:endpoint_id>/watch", senders.watch, name="watch"),
    path("messages/hl7/senders/<uuid:endpoint_id>/interface", interface.interface, name="interface"),
    path("messages/hl7/senders/<uuid:endpoint_id>/test", senders.test, name="test"),
    path("messages/hl7/check", checking.check, name="check"),
    path("messages/hl7/<uuid:message_id>", messages.message, name="message"),
    path("messages/hl7/<uuid:message_id>/text", messages.text, name="message_text"),
    path("messages/hl7/<uuid:message_id>/replay", replaying.replay_one, name="replay_one"),
    path("messages/hl7/<uuid:earlier_id>/compare/<uuid:later_id>", messages.compare, name="compare"),
]
