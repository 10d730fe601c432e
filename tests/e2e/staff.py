"""What staff do in a browser, whatever they came for."""

from playwright.sync_api import Page


def sign_in(page: Page, stack, username: str) -> None:
    """Sign in with Microsoft as one of the sandbox's people."""
    page.goto(f"{stack.web}/")
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.get_by_role("button").filter(has_text=username).click()
