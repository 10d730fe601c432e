"""Hyperspace shows our pages in a frame of another site, where browsers keep other sites' cookies out."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.conftest import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.xdist_group("stack")

# Another site than the connector's 127.0.0.1; the page itself is made up by the test.
HYPERSPACE = "http://hyperspace.localhost"
_FRAME = '<!doctype html><title>Hyperspace</title><iframe src="{url}" width="1000" height="700"></iframe>'
_ALLOW = f"""
from config_portal import snapshot
from config_portal.models import ConfigurationVersion
for version in ConfigurationVersion.objects.all():
    version.snapshot["endpoint"]["frame_ancestors"].append("{HYPERSPACE}")
    version.digest = snapshot.digest(version.snapshot)
    version.save()
"""
# The made-up page stands for a site on the internet, which may not frame this machine unless asked.
_CHROMIUM = ("--test-third-party-cookie-phaseout", "--disable-features=LocalNetworkAccessChecks")
_BLOCKED = 2  # Chromium's content setting


@pytest.fixture(scope="module")
def hyperspace(stack) -> None:
    """Let Hyperspace frame our pages, as an approval would."""
    allowed = stack.manage("shell", "-c", _ALLOW)
    assert allowed.returncode == 0, allowed.stderr


@pytest.fixture
def browser(playwright, stack, hyperspace, tmp_path, request) -> Iterator[BrowserContext]:
    """A browser that blocks cookies as ``request.param`` says: ``third-party`` or ``framed``."""
    if request.param == "framed":
        rule = {f"{stack.web},{HYPERSPACE}": {"setting": _BLOCKED}}
        profile = {"content_settings": {"exceptions": {"cookies": rule}}}
    else:
        profile = {"block_third_party_cookies": True, "cookie_controls_mode": 1}
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps({"profile": profile}))
    context = playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=str(CHROMIUM), args=[*ARGUMENTS, *_CHROMIUM]
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


def begin(browser: BrowserContext, url: str) -> Page:
    """Press *Begin virtual visit* in a Hyperspace that shows it in a frame."""
    page = browser.new_page()
    page.route(f"{HYPERSPACE}/**", lambda route: route.fulfill(body=_FRAME.format(url=url), content_type="text/html"))
    page.goto(f"{HYPERSPACE}/")
    return page


@pytest.fixture
def booked(stack):
    return Twin(stack.sandbox).book(
        environment="test", starts_in_minutes=20, minutes=30, patient="rivera", provider="okafor"
    )


@pytest.mark.parametrize("browser", ["third-party"], indirect=True)
def test_with_third_party_cookies_blocked_the_visit_opens_in_the_frame(stack, browser, booked):
    twin = Twin(stack.sandbox)
    page = begin(browser, twin.launch(booked["csn"], audience="provider"))
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    (cookie,) = [one for one in browser.cookies() if one["name"] == "__Host-visit"]
    assert urlsplit(cookie["partitionKey"]).hostname in {"hyperspace.localhost", "localhost"}


@pytest.mark.parametrize("browser", ["third-party"], indirect=True)
def test_from_the_frame_teams_opens_in_a_window_that_has_none_of_the_frames_cookies(stack, browser, booked):
    page = begin(browser, Twin(stack.sandbox).launch(booked["csn"], audience="provider"))
    frame = page.frame_locator("iframe")
    with page.expect_popup() as opened:
        frame.get_by_role("button", name="Join in browser").click()
    expect(opened.value).to_have_url(re.compile(f"{re.escape(stack.sandbox)}/teams/"))
    choices = {one["value"] for one in browser.cookies() if one["name"] == "__Host-open"}
    assert choices == {"browser"}


@pytest.mark.parametrize("browser", ["framed"], indirect=True)
def test_where_frames_keep_no_cookie_the_visit_opens_in_a_window_of_its_own(stack, browser, booked):
    twin = Twin(stack.sandbox)
    after = twin.last()
    page = begin(browser, twin.launch(booked["csn"], audience="provider"))
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Open your visit in a new window")).to_be_visible()
    assert not [entry for entry in _issued(stack, booked) if entry["id"] > after]  # the launch token is unspent
    with page.expect_popup() as opened:
        frame.get_by_role("link", name="Open visit in a new window").click()
    window = opened.value
    expect(window.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    assert window.url == f"{stack.web}/launch/visit"
    assert len(_issued(stack, booked)) == 1


def _issued(stack, booked):
    wanted = {"system": "epic", "kind": "token_issued", "key": booked["csn"]}
    return requests.get(f"{stack.sandbox}/ledger.json", params=wanted, timeout=10).json()["entries"]
