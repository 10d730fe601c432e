"""Loosen the content policy for one answer, where a launch page needs it; the headers of answers without Django."""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpResponseBase
from django_permissions_policy import PermissionsPolicyMiddleware


def allow_form_targets(response: HttpResponseBase, origins: Iterable[str]) -> None:
    """Let the forms of this page post to ``origins`` too, such as Epic's authorize address."""
    _update(response, "form-action", origins)


def allow_framing(response: HttpResponseBase, origins: Iterable[str]) -> None:
    """Let ``origins`` (the hospital's Epic and MyChart) show this page in a frame."""
    origins = list(origins)
    if origins:
        response._csp_replace = {**getattr(response, "_csp_replace", {}), "frame-ancestors": origins}  # type: ignore[attr-defined]  # noqa: SLF001 - how django-csp is told
        response.xframe_options_exempt = True  # type: ignore[attr-defined]  # read by Django


def allow_camera_and_microphone(response: HttpResponseBase) -> None:
    """Let this page, and no page inside it, ask for camera and microphone."""
    policy: dict[str, str | list[str] | tuple[str]] = {**settings.PERMISSIONS_POLICY}
    policy["camera"] = policy["microphone"] = ["self"]
    value = PermissionsPolicyMiddleware.compute_header_value(policy, name="policy")
    response._permissions_policy_override = value  # type: ignore[attr-defined]  # noqa: SLF001 - how django-permissions-policy is told


def headers_beside_django() -> list[tuple[bytes, bytes]]:
    """Return what Django's middleware says with every answer, for an ASGI application of our own that shows no page."""
    headers = [
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"referrer-policy", str(settings.SECURE_REFERRER_POLICY).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if settings.SECURE_HSTS_SECONDS:
        parts = [
            f"max-age={settings.SECURE_HSTS_SECONDS}",
            *(["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []),
            *(["preload"] if settings.SECURE_HSTS_PRELOAD else []),
        ]
        headers.append((b"strict-transport-security", "; ".join(parts).encode()))
    return headers


def _update(response: HttpResponseBase, directive: str, origins: Iterable[str]) -> None:
    update = dict(getattr(response, "_csp_update", {}) or {})
    update[directive] = [*update.get(directive, []), *origins]
    response._csp_update = update  # type: ignore[attr-defined]  # noqa: SLF001 - how django-csp is told
