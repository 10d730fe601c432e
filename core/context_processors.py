"""Gives every template the variable ``page``."""

from django.http import HttpRequest

from core.page import Page


def page(request: HttpRequest) -> dict[str, Page]:
    """Return the frame of the page; its parts are worked out only where a template asks."""
    return {"page": Page(request)}
