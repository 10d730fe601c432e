"""Pages of the rooms, below ``/rooms/``."""

from django.urls import path

from sandbox.teams import views

app_name = "rooms"
urlpatterns = [
    path("", views.room_list, name="list"),
    path("<uuid:participant>/", views.room_page, name="room"),
    path("<uuid:participant>/admit/", views.admit, name="admit"),
    path("<uuid:participant>/leave/", views.leave, name="leave"),
    path("<uuid:participant>/end/", views.end, name="end"),
]
