"""Key pairs: what Epic fetches, what staff see, and their rotation."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.models import Environment, FhirEndpoint, SigningKey
from config_portal.presenters.crumbs import under_setup
from config_portal.presenters.keys import KeySetCard, trial_words
from config_portal.requests import PortalRequest
from config_portal.services import rotation
from config_portal.services.key_trials import try_upcoming
from config_portal.services.keys import public_keys
from core.access import access
from core.errors import ConfigurationError

CACHE_SECONDS = 3600
SETUP_ROLES = (Role.ADMIN, Role.ANALYST)


@access("public")
@require_safe
def jwks(request: HttpRequest, launch_id: UUID) -> HttpResponse:
    """Answer the JSON Web Key Set of one endpoint (RFC 7517); Epic caches it for up to an hour."""
    endpoint = get_object_or_404(FhirEndpoint.objects.select_related("organization"), launch_id=launch_id)
    response = JsonResponse(public_keys(endpoint))
    response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return response


@portal_page(*SETUP_ROLES)
@require_safe
def listed(request: PortalRequest) -> HttpResponse:
    """Show the keys of both environments and how far their rotation is."""
    now = timezone.now()
    organization = request.organization
    cards = [
        KeySetCard(
            keys,
            now,
            is_authorized=organization.authorized_at(keys.environment) is not None,
            zone=organization.time_zone,
        )
        for keys in rotation.key_sets(organization)
    ]
    return render(request, "config_portal/keys.html", {"cards": cards, "crumbs": under_setup()})


@portal_page(*SETUP_ROLES)
@require_safe
def certificate(request: PortalRequest, key_id: UUID) -> HttpResponse:
    """Download the public certificate of one key as PEM."""
    key = get_object_or_404(SigningKey.objects.for_organization(request.organization).published(), pk=key_id)
    name = f"{slugify(request.organization.slug)}-{key.environment}-{key.purpose}.cer"
    response = HttpResponse(key.certificate, content_type="application/x-x509-ca-cert")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@portal_page(Role.ADMIN)
@require_POST
def rotate(request: PortalRequest, environment: str) -> HttpResponse:
    """Publish new keys; the switch follows by itself once Epic has them."""
    _known(environment)
    try:
        rotation.start_rotation(
            request.organization, environment=environment, actor=request.user.username, now=timezone.now()
        )
    except ConfigurationError as error:
        messages.error(request, error.user_message)
    else:
        messages.success(request, "New keys are published. They are used as soon as Epic has them.")
    return redirect("portal:keys")


@portal_page(*SETUP_ROLES)
@require_POST
def try_keys(request: PortalRequest, environment: str) -> HttpResponse:
    """Try the new keys at every Epic of the environment; what runs goes on with the keys in use."""
    _known(environment)
    now = timezone.now()
    try:
        trials = try_upcoming(request.organization, environment=environment, actor=request.user.username, now=now)
    except ConfigurationError as error:
        messages.error(request, error.user_message)
        return redirect("portal:keys")
    for trial in trials:
        tell = messages.success if trial.is_accepted else messages.warning
        tell(request, trial_words(trial))
    return redirect("portal:keys")


@portal_page(*SETUP_ROLES)
@require_POST
def revoke(request: PortalRequest, environment: str) -> HttpResponse:
    """Stop publishing replaced keys at once, as after a leak."""
    _known(environment)
    count = rotation.revoke_replaced(
        request.organization, environment=environment, actor=request.user.username, now=timezone.now()
    )
    messages.success(request, f"{count} replaced keys are withdrawn. Epic may keep them for up to 29 hours.")
    return redirect("portal:keys")


def _known(environment: str) -> None:
    if environment not in Environment.values:
        raise Http404
