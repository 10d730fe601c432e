"""Puts the support desk in the place of Django's own admin site."""

from django.contrib.admin.apps import AdminConfig


class SupportDeskConfig(AdminConfig):
    """Django admin with our site."""

    default_site = "core.support_desk.SupportDesk"
