"""Reports in a browser: every tab, its chart, its table, and what a report reader may see."""

import re

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.e2e.staff import sign_in

pytestmark = pytest.mark.xdist_group("stack")
ADMIN, READER = "avery.reed@lamna.example.org", "rene.blake@lamna.example.org"


@pytest.fixture(scope="module", autouse=True)
def history(stack):
    """Some months of invented visits."""
    ended = stack.manage("seed_history", "--visits", "700")
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/reports/?days=30", "report-appointments"),
        ("/reports/duration?days=90", "report-duration"),
        ("/reports/ehr?days=30", "report-ehr"),
        ("/reports/sms?days=30", "report-sms"),
        ("/reports/quality?days=30", "report-quality"),
    ],
)
def test_every_tab_is_good_to_look_at(stack, person, inspector, address, name):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}{address}")
        expect(page.locator("svg.plot-area")).to_be_visible()
        inspector.look(page, name)


def test_a_status_is_switched_off_in_the_legend_and_on_again(stack, person):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/reports/?days=30")
        before = page.locator("rect.series-1").count()
        assert before > 0
        page.get_by_role("link", name=re.compile(r"^Completed\s*, shown")).click()
        expect(page.get_by_role("link", name=re.compile(r"^Completed\s*, hidden"))).to_be_visible()
        expect(page.locator("rect.series-1")).to_have_count(0)
        page.get_by_role("link", name=re.compile(r"^Completed\s*, hidden")).click()
        expect(page.locator("rect.series-1")).to_have_count(before)


def test_filters_columns_and_rows_by_keyboard_and_mouse(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/reports/")
        page.get_by_label(re.compile("^Department")).first.select_option("LMFM")
        page.get_by_label("Period").select_option("90")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page).to_have_url(re.compile("department=LMFM"))
        page.get_by_text("Columns", exact=True).click()
        page.get_by_label("Provider", exact=True).check()
        inspector.look(page, "report-columns")
        page.get_by_role("button", name="Show these columns").click()
        expect(page.get_by_role("columnheader", name="Provider")).to_be_visible()
        expect(page).to_have_url(re.compile("department=LMFM"))
        page.get_by_role("link", name="Duration", exact=True).last.click()
        expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
        page.get_by_text("The chart as a table").click()
        expect(page.get_by_role("table", name="Virtual appointments by day and status")).to_be_visible()
        page.locator("#rows tbody th a").first.click()
        expect(page.get_by_role("heading", name=re.compile("^Visit "))).to_be_visible()


def test_a_report_becomes_a_file_and_a_view(stack, person, inspector):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        page.goto(f"{stack.web}/reports/?days=90&status=completed")
        page.get_by_text("Export", exact=True).click()
        page.get_by_role("button", name="All rows for Excel").click()
        expect(page.get_by_role("link", name="Download")).to_be_visible()
        inspector.look(page, "report-files")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").first.click()
        assert download.value.suggested_filename.endswith(".xlsx")
        page.goto(f"{stack.web}/reports/?days=90&status=completed")
        page.get_by_text("Views", exact=True).click()
        page.get_by_role("link", name="Save this view").click()
        page.get_by_label("Name").fill("Completed visits")
        inspector.look(page, "report-save-view")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("link", name="Completed visits")).to_be_visible()
        inspector.look(page, "report-views")
        page.get_by_role("link", name="Send by e-mail").click()
        inspector.look(page, "report-schedule")
        page.goto(f"{stack.web}/reports/settings")
        inspector.look(page, "report-settings")


def test_each_report_becomes_one_page_for_people_and_screen_readers(stack, person, inspector, tmp_path):
    with person("admin") as page:
        sign_in(page, stack, ADMIN)
        for address in ("", "duration", "ehr", "sms", "quality"):
            page.goto(f"{stack.web}/reports/{address}?days=30&calendar=utc")
            page.get_by_text("Export", exact=True).click()
            page.get_by_role("button", name="One-page summary (PDF)").click()
            newest = page.locator("tbody tr").first
            expect(newest).to_contain_text("One-page summary")
            expect(newest.get_by_role("link", name="Download")).to_be_visible()
            with page.expect_download() as download:
                newest.get_by_role("link", name="Download").click()
            kept = tmp_path / f"{address or 'appointments'}.pdf"
            download.value.save_as(kept)
            made = PdfReader(kept)
            assert len(made.pages) == 1
            assert made.trailer["/Root"]["/MarkInfo"]["/Marked"]
            assert "Days in UTC" in made.pages[0].extract_text()
        inspector.look(page, "report-summaries")


def test_a_report_reader_has_reports_and_nothing_else(stack, person, inspector):
    with person("reader", expected="403") as page:
        sign_in(page, stack, READER)
        page.goto(f"{stack.web}/reports/")
        expect(page.locator("#rows tbody tr").first).to_be_visible()
        assert page.locator("#rows tbody a").count() == 0
        inspector.look(page, "report-reader")
        rail = page.get_by_role("navigation", name="Portal").get_by_role("link")
        assert rail.all_inner_texts() == ["Reports"]
        page.goto(f"{stack.web}/visits/")
        expect(page.get_by_text("You cannot open this page")).to_be_visible()
