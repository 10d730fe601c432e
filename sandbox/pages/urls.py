"""Pages for people and addresses for scripts."""

from django.urls import include, path

from sandbox.pages import control, ledger, mychart, schedule, switches, views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("schedule/", schedule.board, name="schedule"),
    path("schedule/book", schedule.book, name="schedule_book"),
    path("schedule/<str:csn>/<slug:act>", schedule.act, name="schedule_act"),
    path("mychart/", mychart.visits, name="mychart"),
    path("launch/<str:csn>/<slug:audience>", schedule.begin, name="begin"),
    path("faults/", switches.faults_page, name="faults"),
    path("ledger/", ledger.page, name="ledger"),
    path("ledger.json", ledger.as_json, name="ledger_json"),
    path("control/setup", control.setup_view),
    path("control/faults", control.faults_view),
    path("control/visits", control.visits),
    path("control/visits/<str:csn>/launch", control.launch),
    path("control/visits/<str:csn>/<slug:act>", control.change),
    path("control/", include("sandbox.teams.control_urls")),
    path("control/", include("sandbox.sms.control_urls")),
    path("phones/", include("sandbox.sms.page_urls")),
    path("rooms/", include("sandbox.teams.page_urls")),
]
