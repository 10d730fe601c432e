"""Lines of the pre-flight check: does Epic know where launches come back to, and is a pasted link ours."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.urls import Resolver404, resolve, reverse

from config_portal import doctor
from config_portal.doctor import CheckContext, CheckInput, CheckResult, Fixer, Group, SetupCheck, failed, passed
from core.errors import ConfigurationError
from core.http import send
from epic.base_url import is_same_base_url
from epic.connection import Audience
from epic.oauth import SIGN_IN_SCOPE

TEST_LINK = "test_link"
_APPS = {Audience.PROVIDER: "provider app", Audience.PATIENT: "patient app"}
_SHOWS_SIGN_IN = range(200, 400)


def register() -> None:
    """Put the lines and their input on the list."""
    doctor.register_input(
        CheckInput(
            name=TEST_LINK,
            label="Launch link from Epic",
            help="The address that a test integration record opens, with iss and launch. It is looked at, not opened.",
            clean=_own_link,
            longest=16_000,
        )
    )
    doctor.register(SetupCheck(name="redirects", title="Redirect addresses", order=Group.KEYS + 40, run=redirects))
    doctor.register(
        SetupCheck(
            name="test-link",
            title="Launch link from Epic",
            order=Group.TRIAL,
            run=test_link,
            needs_input=TEST_LINK,
        )
    )


def redirects(context: CheckContext) -> CheckResult:
    """Check that Epic shows its sign-in for each app that people launch, instead of refusing the way back."""
    refused = [audience for audience in _APPS if not _is_known(context, audience)]
    if not refused:
        return passed("Epic knows the redirect addresses of the provider and the patient app.")
    addresses = " and ".join(_callback(context, audience) for audience in refused)
    return failed(
        f"Epic refuses the way back of the {' and the '.join(_APPS[audience] for audience in refused)}.",
        who=Fixer.ANALYST,
        todo=f"Enter as redirect URI, exactly: {addresses}",
        code="epic.redirect_unknown",
    )


def test_link(context: CheckContext) -> CheckResult:
    """Check what a pasted launch link says, without opening it: which record, which Epic, whether it is complete."""
    link = urlsplit(context.inputs[TEST_LINK])
    query = {name.lower(): values[0] for name, values in parse_qs(link.query).items()}
    launch_id = str(resolve(link.path).kwargs["launch_id"])
    endpoint = context.endpoint
    problem = ""
    if launch_id != str(endpoint.launch_id):
        problem = "It belongs to another record: its launch id is not the one of this FHIR base URL."
    elif not is_same_base_url(query.get("iss", ""), endpoint.base_url):
        named = query.get("iss", "no address at all")[:200]
        problem = f"Epic names {named} as iss, and this record is for {endpoint.base_url}."
    elif not query.get("launch"):
        problem = "It has no launch token, so the record is not a SMART on FHIR launch."
    if problem:
        return failed(problem, who=Fixer.ANALYST, todo="Copy the integration record again.", code="launch.test_link")
    return passed(f"A launch from {endpoint.get_environment_display()} of this Epic, with a launch token.")


def _is_known(context: CheckContext, audience: Audience) -> bool:
    """Ask for a sign-in as a browser would, and see whether Epic shows one; nobody signs in."""
    challenge = hashlib.sha256(secrets.token_bytes(32)).digest()
    query = {
        "response_type": "code",
        "client_id": str(getattr(context.endpoint, f"{audience}_client_id")),
        "redirect_uri": _callback(context, audience),
        "scope": SIGN_IN_SCOPE,
        "state": secrets.token_urlsafe(32),
        "aud": context.endpoint.base_url,
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    address = context.discovered().smart.authorization_endpoint
    return send(context.session(), "GET", address, system="epic", params=query).status_code in _SHOWS_SIGN_IN


def _callback(context: CheckContext, audience: Audience) -> str:
    return str(settings.PUBLIC_URL) + reverse(f"launch:{audience}_callback", args=[context.endpoint.launch_id])


def _own_link(text: str) -> str:
    """Return the link if it is one of our launch addresses.

    :raises ConfigurationError: ``launch.test_link_foreign``.
    """
    try:
        match = resolve(urlsplit(text).path)
    except (Resolver404, ValueError):
        match = None
    is_launch = match is not None and match.view_name in {"launch:provider_start", "launch:patient_start"}
    if not (is_launch and text.startswith(settings.PUBLIC_URL + "/")):
        raise ConfigurationError(
            "launch.test_link_foreign",
            f"This is no launch link of this connector: those begin with {settings.PUBLIC_URL}/launch/",
        )
    return text
