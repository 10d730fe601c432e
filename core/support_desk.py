"""The support desk: Django admin, opened to support staff of hospitals beside the operator."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest


def is_operator(request: HttpRequest) -> bool:
    """Return whether the person runs the installation."""
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def is_support(request: HttpRequest) -> bool:
    """Return whether the person is support staff of the organization they work in."""
    return bool(request.user.is_active and "support" in getattr(request, "roles", ()))


class SupportDesk(AdminSite):
    """The site on which every app registers its pages."""

    site_title = "Support desk"
    site_header = "Support desk"
    index_title = "Facts about visits, texts, messages and Epic"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in the operator, and support staff of the organization they work in."""
        return is_operator(request) or is_support(request)
