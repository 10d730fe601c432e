"""Real Chromium, driven by Playwright; every page is checked by axe and photographed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = Path(settings.BASE_DIR) / ".data" / "screenshots"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]  # fmt: skip
# WCAG 2.0 to 2.2, A and AA; target-size is off unless asked for.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {"target-size": {"enabled": True}},
}


# Other tests run beside these on the same processors.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The driver, once, and stopped behind the last of these tests: its running loop is in the way of others."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests."""
    if not CHROMIUM.exists():
        message = "No /usr/bin/chromium: as root, run apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def person(chromium: Browser):
    """Return a page of a browser of its own: ``with person("patient", width=320) as page``."""

    @contextmanager
    def open_browser(
        name: str, *, width: int = 1280, theme: str = "light", locale: str = "en-US", expected: str = "nothing"
    ) -> Iterator[Page]:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            locale=locale,
            timezone_id="America/Chicago",
            reduced_motion="reduce",  # colours on their way from light to dark have no contrast to measure
        )
        context.set_default_timeout(15_000)
        problems: list[str] = []
        context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page = context.new_page()
        try:
            yield page
        except BaseException:
            page.screenshot(path=SCREENSHOTS / f"failed-{name}.png", full_page=True)
            raise
        finally:
            context.close()
        assert [text for text in problems if expected not in text] == [], f"{name}'s browser complained"

    return open_browser


class Inspector:
    """Looks at a page in four ways: wide and narrow, light and dark. Axe must find nothing in any of them."""

    def __init__(self) -> None:
        self._source = Axe().axe_script
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def look(self, page: Page, name: str) -> None:
        """Photograph ``page`` and check it."""
        size = page.viewport_size
        for width in (1280, 320):
            for theme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=theme)
                page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{theme}.png", full_page=True)
                overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert overflow <= 0, f"{name} is {overflow} px too wide at {width} px"
                self._check(page, f"{name} at {width} px, {theme}")
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="light")

    def _check(self, page: Page, where: str) -> None:
        page.evaluate(self._source)
        found = page.evaluate("rules => axe.run(document, rules)", RULES)
        violations = [
            f"{violation['id']}: {violation['help']} ({node['html'][:120]})"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
        assert violations == [], where


@pytest.fixture(scope="session")
def inspector() -> Inspector:
    return Inspector()
