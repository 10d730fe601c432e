"""Addresses of staff sign-in: of allauth's many, only those that signing in through Entra needs.

The names are the ones allauth looks up.
"""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("3rdparty/login/cancelled/", views.login_cancelled, name="socialaccount_login_cancelled"),
    path("oidc/<slug:provider_id>/login/", views.begin, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", views.finish, name="openid_connect_callback"),
]
