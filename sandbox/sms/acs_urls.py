"""Addresses of ACS, below ``/acs/``."""

from django.urls import path, re_path

from sandbox.sms import acs_views as views

urlpatterns = [
    path("sms", views.Send.as_view()),
    re_path(r"^sms/optouts:(?P<action>add|remove|check)$", views.OptOuts.as_view()),
    path("deliveryReports/<str:message_id>", views.DeliveryReport.as_view()),
    path("availablePhoneNumbers/countries/<str:country>/:search", views.Search.as_view()),
    path("availablePhoneNumbers/searchResults/<str:search>", views.SearchResult.as_view()),
    path("availablePhoneNumbers/:purchase", views.Purchase.as_view()),
    path("phoneNumbers", views.Numbers.as_view()),
    path("phoneNumbers/operations/<str:operation>", views.Operation.as_view()),
    path("phoneNumbers/<str:number>", views.Number.as_view()),
]
