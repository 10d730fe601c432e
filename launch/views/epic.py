"""Launches from Epic and MyChart: out to Epic's sign-in, and back."""

from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from config_portal.models import FhirEndpoint
from core.access import access
from core.errors import ConnectorError, LaunchRefused
from core.queries import Lookup
from core.security import allow_form_targets
from epic.connection import Audience
from launch.cookies import launch_cookie, remember_visit, renew_launch_cookie
from launch.languages import speak_to_staff
from launch.models import LaunchAttempt
from launch.services import finishing, linking, starting
from launch.views.pages import belongs_to, framed, refused, see_other

_IS_NEW_WINDOW = "window"
_BY_LAUNCH_ID = Lookup(lambda: FhirEndpoint.objects.select_related("organization", "approved_version"), "launch_id")


@access("public")
# The launch cookie is the proof that the form came back from the browser it was shown in; Django's own
# token needs a cookie that frames of another site lose.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, launch_id: UUID, *, audience: Audience) -> HttpResponse:
    """Test the cookie first (GET shows a form that posts itself), then send the browser to Epic."""
    endpoint = _find(request, launch_id, audience)
    if endpoint is None:
        return _unknown(request, audience)
    if request.method == "GET":
        response = render(request, "launch/cookie_test.html", {"given": _given(request.GET)})
        renew_launch_cookie(request, response)
    elif launch_cookie(request):
        response = _send_to_epic(request, endpoint, audience)
    else:
        response = _open_new_window(request, endpoint, audience)
    return framed(response, endpoint)


@access("public")
# As for start: the launch cookie is the proof.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def context_link(request: HttpRequest, launch_id: UUID, *, audience: Audience) -> HttpResponse:
    """Open the visit that an encrypted query string names; the link is used up only by a browser with our cookie."""
    endpoint = _find(request, launch_id, audience)
    if endpoint is None:
        return _unknown(request, audience)
    try:
        name = linking.parameter_of(endpoint)
        if request.method == "GET":
            response = render(request, "launch/cookie_test.html", {"given": _given(request.GET, name)})
            renew_launch_cookie(request, response)
        elif launch_cookie(request):
            data = request.POST.get(name, "").replace(" ", "+")  # a plus that Epic did not encode
            response = _arrived(linking.arrive(endpoint, audience, data, now=timezone.now()))
        else:
            response = _open_new_window(request, endpoint, audience, name)
    except ConnectorError as error:
        response = refused(request, error, for_patient=_is_patient(audience), endpoint=endpoint)
    return framed(response, endpoint)


@access("launch")
@require_GET
def callback(request: HttpRequest, launch_id: UUID, *, audience: Audience) -> HttpResponse:
    """Take the browser back from Epic and bring it to its visit."""
    endpoint = _find(request, launch_id, audience)
    if endpoint is None:
        return _unknown(request, audience)
    returned = finishing.Return(
        state=request.GET.get("state", ""),
        code=request.GET.get("code", ""),
        error=request.GET.get("error", ""),
        issuer=request.GET.get("iss", ""),
        cookie=launch_cookie(request),
    )
    try:
        attempt = finishing.finish(endpoint, audience, returned, now=timezone.now())
    except ConnectorError as error:
        begun = finishing.find_attempt(endpoint, audience, state=returned.state)
        page = refused(request, error, for_patient=_is_patient(audience), endpoint=endpoint, attempt=begun)
        return framed(page, endpoint)
    return _arrived(attempt)


def _arrived(attempt: LaunchAttempt) -> HttpResponse:
    is_testing = attempt.state == LaunchAttempt.State.CHECKING
    patients_page = "launch:device_test" if is_testing else "launch:visit"
    response = see_other("launch:status" if attempt.is_provider else patients_page)
    remember_visit(response, attempt)
    return response


def _find(request: HttpRequest, launch_id: UUID, audience: Audience) -> FhirEndpoint | None:
    """Return the record with this launch id and prepare the page for its readers."""
    if not _is_patient(audience):
        speak_to_staff(request)
    endpoint = _BY_LAUNCH_ID.find(launch_id)
    if endpoint is not None:
        belongs_to(request, endpoint, for_patient=_is_patient(audience))
    return endpoint


def _unknown(request: HttpRequest, audience: Audience) -> HttpResponse:
    return refused(request, LaunchRefused("launch.unknown_record"), for_patient=_is_patient(audience))


def _send_to_epic(request: HttpRequest, endpoint: FhirEndpoint, audience: Audience) -> HttpResponse:
    try:
        authorization = starting.begin(
            endpoint,
            audience,
            issuer=request.POST.get("iss", ""),
            launch=request.POST.get("launch", ""),
            cookie=launch_cookie(request),
            now=timezone.now(),
        )
    except ConnectorError as error:
        return refused(request, error, for_patient=_is_patient(audience), endpoint=endpoint)
    target = urlsplit(authorization.url)
    fields = dict(authorization.fields)
    if authorization.method == "GET":
        fields = {**dict(parse_qsl(target.query)), **fields}  # a form's own fields replace the address's query
    context = {"action": authorization.url, "method": authorization.method.lower(), "fields": fields.items()}
    response = render(request, "launch/to_epic.html", context)
    # Browsers check every redirect that follows a form too, and Epic may send the person on to sign in elsewhere.
    allow_form_targets(response, [f"{target.scheme}://{target.netloc}", "https:"])
    return response


def _open_new_window(request: HttpRequest, endpoint: FhirEndpoint, audience: Audience, *names: str) -> HttpResponse:
    """Offer a window of its own, where cookies of frames are not lost; the launch token is not spent yet."""
    if request.POST.get(_IS_NEW_WINDOW):
        error = LaunchRefused("launch.no_cookies")
        return refused(request, error, for_patient=_is_patient(audience), endpoint=endpoint)
    again = urlencode({**_given(request.POST, *names), _IS_NEW_WINDOW: "1"})
    return render(request, "launch/new_window.html", {"address": f"{request.path}?{again}"})


def _given(values: QueryDict, *names: str) -> dict[str, str]:
    names = (*(names or ("iss", "launch")), _IS_NEW_WINDOW)
    return {name: str(values[name]) for name in names if name in values}


def _is_patient(audience: Audience) -> bool:
    return audience is Audience.PATIENT
