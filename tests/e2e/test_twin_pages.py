"""The twin's pages look like the product's, and are as accessible."""

import pytest

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture(scope="module", autouse=True)
def _played(stack):
    """There is something to see: one visit was played."""
    assert stack.manage("play_visit").returncode == 0


@pytest.mark.parametrize("address", ["", "schedule/", "mychart/", "phones/", "rooms/", "faults/", "ledger/"])
def test_the_pages_of_the_twin_are_accessible(stack, person, inspector, address):
    with person("visitor") as page:
        page.goto(f"{stack.sandbox}/{address}")
        inspector.look(page, f"twin-{address.rstrip('/') or 'home'}")


def test_the_ledger_shows_what_happens_and_keeps_what_was_unfolded(stack, person):
    with person("visitor") as page:
        page.goto(f"{stack.sandbox}/ledger/?system=hl7")
        unfolded = page.locator(".ledger-data details").first
        entry = unfolded.get_attribute("id")
        unfolded.locator("summary").click()
        before = page.locator(".ledger-data details").count()
        assert page.request.post(f"{stack.sandbox}/control/visits", data={}).ok
        page.wait_for_function(f"document.querySelectorAll('.ledger-data details').length > {before}")
        assert page.locator(f"#{entry}").get_attribute("open") is not None
