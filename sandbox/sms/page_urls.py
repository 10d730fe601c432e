"""Pages of the phones, below ``/phones/``."""

from django.urls import path

from sandbox.sms import views

app_name = "phones"
urlpatterns = [
    path("", views.wall, name="wall"),
    path("<str:e164>/", views.phone_page, name="phone"),
    path("<str:e164>/reply/", views.reply, name="reply"),
]
