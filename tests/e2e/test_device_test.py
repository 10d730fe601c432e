"""The device test in real Chromium: with a fake camera and microphone, and where the person refuses them."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.conftest import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.xdist_group("stack")
HAVE_ENOUGH_DATA = 4  # HTMLMediaElement.readyState
PHONE = "+16085550163"  # of the patient whom no other test books


@pytest.fixture(autouse=True)
def _nothing_is_remembered(stack):
    """What one test finds out must not spare the next one its questions."""
    stack.query("DELETE FROM launch_devicetest RETURNING id")


@pytest.fixture
def link(stack):
    """The join link on a patient's phone."""
    twin = Twin(stack.sandbox)
    after = twin.last()
    twin.book(environment="test", starts_in_minutes=10, minutes=30, patient="nguyen", provider="okafor")
    text = twin.wait("acs", "sms_accepted", after=after, key=PHONE)[0]["data"]["text"]
    return re.search(r"http\S+/j/\S{22}", text).group()


def begin(page: Page, link: str) -> None:
    page.goto(link)
    if (english := page.get_by_role("button", name="English")).is_visible():  # Epic says the patient speaks Spanish
        english.click()
    page.get_by_role("button", name="Join your visit with Lamna Healthcare").click()


def act(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_device_is_tested_one_question_at_a_time(stack, link, person, inspector):
    with person("patient", width=390) as page:
        begin(page, link)
        expect(page.get_by_role("heading", name="Can you see yourself?")).to_be_focused()
        inspector.look(page, "device-camera-ask")
        act(page, "Turn on my camera")
        expect(page.locator(".self-view video")).to_have_js_property("readyState", HAVE_ENOUGH_DATA)
        inspector.look(page, "device-camera")
        act(page, "Yes, I see myself")
        act(page, "Turn on my microphone")
        expect(page.get_by_text("We hear you.")).to_be_visible()
        inspector.look(page, "device-microphone")
        act(page, "Continue")
        act(page, "Play the sound")
        inspector.look(page, "device-speaker")
        act(page, "Yes")
        expect(page.get_by_role("heading", name="Your device is ready")).to_be_focused()
        inspector.look(page, "device-done")
        rows = page.locator(".checks li").all_inner_texts()
        assert [re.sub(r"\s+", " ", row.strip()) for row in rows] == [
            "Internet connection Works", "Camera Works", "Microphone Works", "Sound Works", "Test call Works"
        ]  # fmt: skip
        page.get_by_role("link", name="Go to my visit").click()
        expect(page.get_by_text("This is you. Only you can see it now.")).to_be_visible()
        inspector.look(page, "patient-self-view")
    ((measures, camera, browser),) = stack.query(
        "SELECT measures, camera, browser FROM launch_devicetest ORDER BY created_at DESC LIMIT 1"
    )
    assert (camera, browser) == ("passed", "chrome")
    assert measures["frames_per_second"] >= 10
    assert measures["rtt_ms"] > 0
    assert measures["down_kbps"] > 600


@pytest.fixture
def refusing(chromium):
    """A browser whose person allows nothing: without a grant, headless Chromium refuses."""
    arguments = [argument for argument in ARGUMENTS if "fake-ui" not in argument]
    browser = chromium.browser_type.launch(executable_path=str(CHROMIUM), args=arguments)
    yield browser
    browser.close()


def test_who_allows_nothing_gets_help_and_still_comes_in(stack, link, refusing, inspector):
    page = refusing.new_page(locale="en-US", viewport={"width": 390, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(15_000)
    begin(page, link)
    act(page, "Turn on my camera")
    expect(page.get_by_text("Your browser does not allow the camera.")).to_be_visible()
    expect(page.locator("[data-screen=camera]").get_by_text("Click the sign to the left")).to_be_visible()
    inspector.look(page, "device-camera-refused")
    act(page, "Try again")
    expect(page.get_by_text("Your browser does not allow the camera.")).to_be_visible()
    act(page, "Go on without camera")
    act(page, "Turn on my microphone")
    act(page, "Go on without microphone")
    act(page, "Play the sound")
    act(page, "No")
    act(page, "Go on without sound")
    expect(page.get_by_role("heading", name="Not everything works yet")).to_be_visible()
    inspector.look(page, "device-trouble")
    page.get_by_role("link", name="Go to my visit").click()
    expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()
    expect(page.get_by_role("button", name="Show my picture")).to_be_visible()
    page.context.close()


def test_the_device_can_be_tested_days_before_the_visit(stack, person, inspector):
    twin = Twin(stack.sandbox)
    after = twin.last()
    days = int(timedelta(days=3).total_seconds() // 60)
    twin.book(environment="test", starts_in_minutes=days, minutes=30, patient="nguyen", provider="okafor")
    text = twin.wait("acs", "sms_accepted", after=after, key=PHONE)[0]["data"]["text"]
    with person("patient", width=390, expected="409") as page:
        begin(page, re.search(r"http\S+/j/\S{22}", text).group())
        inspector.look(page, "patient-too-early")
        act(page, "Check my sound and camera")
        expect(page.get_by_role("heading", name="Can you see yourself?")).to_be_visible()
