"""Addresses of the Messages pages, below ``/messages/``."""

from django.urls import path

from sms.views import messages, replies, sending

app_name = "messages"
urlpatterns = [
    path("", messages.texts, name="texts"),
    path("numbers", sending.numbers, name="numbers"),
    path("opt-outs", sending.opt_outs, name="opt_outs"),
    path("replies", replies.replies, name="replies"),
    path("replies/<uuid:reference>/handle", replies.handle, name="handle_reply"),
    path("sending", sending.sending, name="sending"),
    path("sending/<uuid:endpoint_id>/pause", sending.pause, name="pause"),
    path("sending/<uuid:endpoint_id>/resume", sending.unpause, name="unpause"),
    path("sending/<uuid:endpoint_id>/share", sending.share, name="share"),
    path("<uuid:text_id>", messages.text, name="text"),
    path("<uuid:text_id>/again", messages.resend, name="resend"),
    path("<uuid:text_id>/stop", messages.stop, name="stop"),
]
