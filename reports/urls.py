"""Addresses of the visit pages; those of the reports are in :mod:`reports.report_urls`."""

from django.urls import path

from reports.views import actions, visits

app_name = "visits"
urlpatterns = [
    path("", visits.today, name="board"),
    path("search", visits.find, name="search"),
    path("<uuid:visit_id>", visits.detail, name="detail"),
    path("<uuid:visit_id>/texts/<uuid:text_id>/again", actions.text_again, name="text_again"),
    path("<uuid:visit_id>/told/<uuid:row_id>", actions.decide, name="decide"),
    path("<uuid:visit_id>/told/<uuid:row_id>/again", actions.tell_again, name="tell_again"),
    path("<uuid:visit_id>/contacts", actions.reveal, name="reveal"),
]
