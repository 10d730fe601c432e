"""Addresses of Graph, below ``/graph/``."""

from django.urls import path

from sandbox.graph import call_records
from sandbox.graph import meeting_views as meetings
from sandbox.graph import subscription_views as subscriptions

urlpatterns = [
    path("v1.0/users/<str:oid>", meetings.UserDetail.as_view()),
    path("v1.0/users/<str:oid>/onlineMeetings", meetings.MeetingList.as_view()),
    path("v1.0/users/<str:oid>/onlineMeetings/createOrGet", meetings.CreateOrGet.as_view()),
    path("v1.0/users/<str:oid>/onlineMeetings/<str:meeting>", meetings.MeetingDetail.as_view()),
    path(
        "v1.0/users/<str:oid>/onlineMeetings/<str:meeting>/getVirtualAppointmentJoinWebUrl",
        meetings.VisitUrl.as_view(),
    ),
    path("v1.0/users/<str:oid>/onlineMeetings/<str:meeting>/attendanceReports", meetings.ReportList.as_view()),
    path(
        "v1.0/users/<str:oid>/onlineMeetings/<str:meeting>/attendanceReports/<uuid:report>",
        meetings.ReportDetail.as_view(),
    ),
    path("v1.0/communications/callRecords", call_records.RecordList.as_view()),
    path("v1.0/communications/callRecords/<uuid:record>", call_records.RecordDetail.as_view()),
    path("v1.0/subscriptions", subscriptions.SubscriptionList.as_view()),
    path("v1.0/subscriptions/<uuid:subscription>", subscriptions.SubscriptionDetail.as_view()),
    path("v1.0/subscriptions/<uuid:subscription>/reauthorize", subscriptions.Reauthorize.as_view()),
    path("beta/subscriptions", subscriptions.SubscriptionList.as_view()),
    path("beta/subscriptions/<uuid:subscription>", subscriptions.SubscriptionDetail.as_view()),
    path("beta/subscriptions/<uuid:subscription>/reauthorize", subscriptions.Reauthorize.as_view()),
]
