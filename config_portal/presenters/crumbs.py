"""The way back from a page of the setup."""

from django.urls import reverse


def under_setup(*pages: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the crumbs from Setup down to pages given as (label, URL name without arguments)."""
    return [("Setup", reverse("portal:setup")), *((label, reverse(name)) for label, name in pages)]


ENDPOINTS = ("FHIR base URLs", "portal:endpoints")
PREFLIGHT = ("Pre-flight check", "portal:preflights")
