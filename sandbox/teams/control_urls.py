"""Control interface of the rooms, below ``/control/``."""

from django.urls import path

from sandbox.teams import control

urlpatterns = [
    path("rooms", control.rooms),
    path("rooms/<str:meeting>/admit", control.admit),
    path("rooms/<str:meeting>/leave", control.leave),
    path("rooms/<str:meeting>/end", control.end),
    path("rooms/<str:meeting>/lifecycle", control.lifecycle),
    path("call-records/<uuid:app>/lifecycle", control.records_lifecycle),
    path("call-records/<uuid:app>/lose", control.lose_records),
]
