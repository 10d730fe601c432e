"""The one-page summary: the numbers and words of the page, one page long, readable for a screen reader."""

import io
from datetime import timedelta

import pytest
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import Role
from reports import tasks
from reports.models import CallRecord, CallStream, Export, ReportSettings, SavedView
from reports.presenters import tabs
from reports.presenters.address import Address
from reports.presenters.overview import overview_of
from reports.presenters.privacy import Privacy
from reports.presenters.sheet import sheet_of
from reports.services import refreshing
from reports.services.asked import Asked, recent, understand
from tests.factories import make_organization, make_staff, make_visit
from tests.reports.conftest import NOW, START
from tests.reports.test_exports import asked_for, fetched

pytestmark = pytest.mark.django_db
LATER = START + timedelta(hours=2)
TABS = [str(tab) for tab in SavedView.Tab]
# How a page says what a PDF says in letters of its own.
_SAME = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\n": " "})


@pytest.fixture
def counted(visit, happen):
    """The visit of today, held and counted, and eleven others in as many departments that nobody came to."""
    for number in range(11):
        make_visit(visit.endpoint, session_id=f"4822004{number:02}", starts_at=START, department=f"Clinic {number:02}")
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    happen("patient", "connected", 72)
    happen("patient", "disconnected", 900)
    happen("provider", "disconnected", 960)
    record = CallRecord.objects.create(
        organization=visit.organization, visit=visit, graph_id=visit.pk, version=1, started_at=START,
        ended_at=START + timedelta(minutes=15), good=2, poor=1,
    )  # fmt: skip
    streams = [("windows", "good"), ("iOS", "good"), ("iOS", "poor")]
    for platform, verdict in streams:
        CallStream.objects.create(
            record=record, kind="audio", is_staff=platform == "windows", platform=platform, verdict=verdict,
            due_to=["jitter_ms"] if verdict == "poor" else [],
        )  # fmt: skip
    refreshing.refresh(now=LATER)
    return visit


@pytest.fixture
def support(counted, client):
    client.force_login(make_staff(counted.organization, Role.SUPPORT, username="kim.soto@lamna.example.org"))
    return client


@pytest.fixture
def reader(counted, client):
    client.force_login(make_staff(counted.organization, Role.REPORT_READER, username="rene.blake@lamna.example.org"))
    return client


def paper(client, tab, query="days=30"):
    content = fetched(client, asked_for(client, format="pdf", tab=tab, query=query))
    assert content.startswith(b"%PDF-")
    return PdfReader(io.BytesIO(content))


def words(pdf):
    return " ".join(pdf.pages[0].extract_text().translate(_SAME).split())


def asked(visit, **given):
    return understand({"days": "30", **given}, visit.organization, now=NOW)


def sheet(tab, wanted, chosen):
    """Return what stands on the paper of somebody who is told everything."""
    shown = overview_of(tab, wanted, Address("", chosen), Privacy(), now=NOW)
    return sheet_of(tab, shown, wanted, Privacy(), now=NOW)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_becomes_one_page_with_the_figures_of_its_page(support, counted, tab):
    pdf = paper(support, tab)
    assert len(pdf.pages) == 1
    text = words(pdf)
    shown = overview_of(tab, asked(counted), Address("", {}), Privacy(), now=NOW)
    for stat in shown.stats:
        assert f"{stat.label} {stat.value} {stat.note}".translate(_SAME) in text
    for row in shown.table.rows:
        assert " ".join(row) in text
    for name, meaning in shown.meanings:
        assert f"{name}. {meaning}" in text
    assert "Oct 26, 2026 to Nov 24, 2026" in text
    assert "Days in America/Chicago" in text
    assert "Made Nov 24, 2026, 9:00 AM CST" in text
    page = support.get(reverse(PAGES[tab]), {"days": "30"}).content.decode()
    assert all(f">{stat.value}<" in page for stat in shown.stats)


PAGES = {
    "appointments": "reports:usage", "duration": "reports:duration", "ehr": "reports:ehr", "sms": "reports:sms",
    "quality": "reports:quality",
}  # fmt: skip


@pytest.mark.parametrize("tab", TABS)
def test_a_screen_reader_finds_language_title_headings_table_and_a_description_of_the_chart(support, tab):
    pdf = paper(support, tab)
    root = pdf.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata.title.endswith("Lamna Healthcare, Oct 26, 2026 to Nov 24, 2026")
    assert b"pdfuaid" in root["/Metadata"].get_data()
    kinds, descriptions = structure(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/Table", "/TH", "/TD"} <= kinds
    if "/Figure" in kinds:
        assert len(descriptions) == 1


def structure(node):
    """Return the kinds of the elements of a structure tree, and what its figures are described by."""
    kinds, descriptions, waiting = set(), [], [node]
    while waiting:
        one = waiting.pop().get_object()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            kinds.add(one.get("/S"))
            descriptions += [one["/Alt"]] if "/Alt" in one else []
            waiting += [one["/K"]] if "/K" in one else []
    return kinds, descriptions


def test_the_chart_is_told_in_words(counted):
    told = sheet("appointments", asked(counted), {})["chart"]["alt"]
    assert told.startswith("Virtual appointments by day and status, Oct 26 to Nov 24. Completed 1 in all; ")
    lines = sheet("duration", asked(counted), {"series": "average"})
    assert lines["chart"]["alt"].endswith("Average duration from 14.8 min to 14.8 min.")
    assert [series["label"] for series in lines["chart"]["legend"]] == ["Average duration"]
    empty = make_organization(name="Tailspin Clinics")
    nothing = sheet("sms", Asked(organization=empty, period=recent(empty, days=7, now=NOW)), {})
    assert nothing["chart"]["is_empty"]


def test_filters_stand_on_the_paper_and_hold(support, counted):
    text = words(paper(support, "appointments", f"days=7&department=LMFM&endpoint={counted.endpoint_id}"))
    assert f"FHIR endpoint: {counted.endpoint.name}" in text
    assert "Department: LMFM" in text
    assert "Visits 1 " in text
    assert "Clinic 01" not in text
    assert "All FHIR endpoints" in words(paper(support, "appointments"))
    assert "Status: With poor streams" in words(paper(support, "quality", "days=7&status=poor"))


def test_a_long_table_is_cut_and_says_so(support):
    text = words(paper(support, "ehr"))
    assert "and 4 more on the page" in text
    assert "By visit type" in words(paper(support, "ehr", "days=30&by=visit_type"))


def test_a_report_reader_is_told_no_small_count(reader, counted):
    ReportSettings.objects.create(organization=counted.organization, smallest_shown=5)
    text = words(paper(reader, "appointments"))
    assert "Visits 12 " in text
    assert "Completed < 5 " in text
    assert "Counts below 5 are not told" in text
    menu = reader.get(reverse("reports:usage")).content.decode()
    assert "One-page summary (PDF)" in menu
    assert "All rows as CSV" not in menu


def test_whoever_may_open_visits_is_told_every_count(support, counted):
    ReportSettings.objects.create(organization=counted.organization, smallest_shown=5)
    assert "Completed 1 " in words(paper(support, "appointments"))


def test_letters_of_every_alphabet_and_marks_of_typst_are_only_text(support, counted):
    counted.department = '#panic("no") $x$ *a* 家庭医学科'
    counted.save()
    refreshing.refresh(now=LATER)
    text = words(paper(support, "appointments"))
    assert '#panic("no") $x$ *a*' in text


def test_letter_paper_only_where_people_print_on_it(counted):
    organization = counted.organization
    assert sheet("sms", asked(counted), {})["paper"] == "us-letter"
    organization.country = "DE"
    assert sheet("sms", Asked(organization=organization, period=asked(counted).period), {})["paper"] == "a4"


def test_your_files_say_what_it_is(support):
    export = asked_for(support, format="pdf", tab="ehr", query="days=7&columns=start.visit&series=visits")
    listed = support.get(reverse("reports:exports")).content.decode()
    assert export.file_name.startswith("summary-")
    assert export.file_name.endswith(".pdf")
    assert "One-page summary: EHR, days 7" in listed
    tasks.export(str(export.pk))
    answer = support.get(reverse("reports:download", args=[export.pk]))
    assert answer["Content-Type"] == "application/pdf"
    listed = support.get(reverse("reports:exports")).content.decode()
    assert "0 rows" not in listed


def test_an_unknown_tab_is_the_first_one(support):
    asked_for(support, format="pdf", tab="nonsense")
    assert Export.objects.get().given["tab"] == "appointments"


def test_nothing_but_visits_is_made_of_an_unknown_subject(support):
    assert asked_for(support, subject="people").subject == Export.Subject.VISITS


def test_calls_are_a_file_too(support, counted):
    content = fetched(support, asked_for(support, subject="calls")).decode()
    head, call = content.splitlines()
    assert head.split(",")[:3] == ["Started (UTC)", "Ended (UTC)", "Visit"]
    assert call.split(",")[2] == counted.session_id
    assert call.endswith("2,1,0,Jitter,iOS")
    assert fetched(support, asked_for(support, subject="calls", format="xlsx")).startswith(b"PK")
    chosen = fetched(support, asked_for(support, subject="calls", query="days=7&columns=visit.poor")).decode()
    assert chosen.splitlines() == ["Visit,Poor", f"{counted.session_id},1"]
    nothing = fetched(support, asked_for(support, subject="calls", query="days=7&status=unclassified")).decode()
    assert len(nothing.splitlines()) == 1


def test_small_numbers_of_texts_are_hidden_too():
    outcomes = tabs.Counter({("delivered", "sent"): 3, ("undelivered", "spam"): 9})
    shown = {stat.label: stat.value for stat in tabs.text_stats(outcomes, 20, Address("", {}), Privacy(5))}
    assert (shown["Sent"], shown["Not delivered"]) == ("12", "9")
    found = [stat for stat in tabs.text_stats(outcomes, 20, Address("", {}), Privacy(5)) if stat.label == "Delivered"]
    assert found[0].note.startswith("< 5 of them")
