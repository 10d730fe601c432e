"""The way in for those whom a provider invited; behind it they see the patient's pages."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.access import access
from launch.services import invitations
from launch.views.entrance import Entrance, enter

_FROM_AN_INVITATION = Entrance(
    find=lambda token, now: invitations.find_invitation(token, now=now),
    check_in=lambda found, now, only_test: invitations.check_in(found, now=now, only_test=only_test),
    template="launch/invitation.html",
)


@access("public")
# Django's own check, made in enter() so that its refusal is a page in the guest's language.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show to whose visit somebody is invited and a button, or let them in."""
    return enter(request, token, _FROM_AN_INVITATION)
