"""From an empty database to integration records and back: an administrator and an analyst, by keyboard alone."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect

from ehrconnector.visit_player.twin import Twin
from tests.e2e.keyboard import Keyboard
from tests.e2e.test_approval import AVERY, DANA, approve, sign_in, to_approval
from tests.stack_fixture import STACK_REDIS_NUMBER, run_stack

pytestmark = pytest.mark.xdist_group("stack")
TENANT = "11111111-2222-4333-8444-555555555555"
ORGANIZER = "aaaaaaaa-0001-4000-8000-000000000006"
KEPT = ("django_migrations", "django_content_type", "auth_permission")
NAME = "lamna-first"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A product that knows nobody, beside a twin with the hospital's Epic and Entra."""
    path = tmp_path_factory.mktemp("empty")
    with run_stack(path, name="empty", redis_number=STACK_REDIS_NUMBER - 5) as running:
        with psycopg.connect(running.owner_url) as connection:
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            tables = [psycopg.sql.Identifier(name) for (name,) in rows if name not in KEPT]
            connection.execute(psycopg.sql.SQL("TRUNCATE {}").format(psycopg.sql.SQL(", ").join(tables)))
        yield running


def run(stack, *arguments: str) -> None:
    done = stack.manage(*arguments)
    assert done.returncode == 0, done.stderr


def describe_the_organization(page: Page, avery: Keyboard, stack) -> None:
    page.goto(f"{stack.web}/setup/organization/")
    avery.fill("Help line for patients", "(608) 555-0110")
    avery.fill("Epic technical contact", "Dana Ortiz")
    avery.fill("E-mail address of the contact", "dana.ortiz@lamna.example.org")
    boxes = page.get_by_role("checkbox").count()
    for number in range(boxes):
        label = page.get_by_role("checkbox").nth(number).evaluate("box => box.labels[0].innerText")
        avery.go_to(label)
        page.keyboard.press("Space")
    avery.open("Save")


def connect_teams(page: Page, avery: Keyboard, stack) -> None:
    page.goto(f"{stack.web}/setup/teams/")
    avery.fill("Application (client) id", stack.env["ENTRA_CLIENT_ID"])
    avery.fill("Organizer's object id", ORGANIZER)
    avery.open("Save as draft")
    avery.open("Make a certificate")
    register_in_entra(stack, page.request.get(f"{stack.web}/setup/teams/certificate.cer").text())
    avery.open("Use this certificate")
    expect(page.get_by_text("Entra accepts the certificate. It is used from now on.")).to_be_visible()


def register_in_entra(stack, certificate: str) -> None:
    """Upload the certificate to the application, as the administrator does in the Entra admin center."""
    app = {
        "client_id": stack.env["ENTRA_CLIENT_ID"],
        "client_secret": stack.env["ENTRA_CLIENT_SECRET"],
        "redirect_uris": [f"{stack.web}/accounts/oidc/entra/login/callback/"],
        "certificates": [certificate],
    }
    Twin(stack.sandbox).set_up({"entra": {"tenant_id": TENANT, "apps": [app]}})


def set_up_texts(page: Page, avery: Keyboard, stack) -> None:
    page.goto(f"{stack.web}/setup/sms/")
    for sentence in ("Our patients gave us", "For these messages"):
        avery.go_to(sentence)
        page.keyboard.press("Space")
    avery.open("Agree to both")
    avery.open("Generate a new phone number")
    avery.go_to("number from", is_field=True)
    wanted = page.get_by_label("Local number from Twilio")
    for _ in range(page.get_by_role("radio").count()):
        if not wanted.is_checked():
            page.keyboard.press("ArrowDown")
    expect(wanted).to_be_checked()
    avery.open("Generate the number")
    expect(page.locator("#order .notice-title")).to_have_text(re.compile("is yours"), timeout=60_000)
    tell_that_carriers_approved(page, avery)
    page.goto(f"{stack.web}/setup/sms/")
    avery.open("SMS setup")
    avery.choose("Text from", "(")
    avery.open("Save the SMS setup")
    expect(page.get_by_text("Saved. It takes effect once the configuration is approved.")).to_be_visible()


def tell_that_carriers_approved(page: Page, avery: Keyboard) -> None:
    """Store what Twilio's own pages say once the campaign is registered: a new local number is blocked until then."""
    avery.open("(206)")
    avery.go_to("Not submitted", is_field=True)
    approved = page.get_by_label("Approved")
    for _ in range(page.get_by_role("radio").count()):
        if not approved.is_checked():
            page.keyboard.press("ArrowDown")
    expect(approved).to_be_checked()
    avery.open("Store what it says")
    expect(page.get_by_text("Ready to send")).to_be_visible()


def check_beforehand(page: Page, dana: Keyboard, stack, inspector) -> None:
    page.goto(f"{stack.web}/setup/check/")
    dana.open(NAME, exact=True)
    dana.open("Start the check")
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^All \d+ passed"))).to_be_visible(timeout=60_000)
    inspector.look(page, "nothing-check")


def add_base_url(page: Page, avery: Keyboard, stack) -> None:
    page.goto(f"{stack.web}/setup/endpoints/")
    avery.open("Add")
    avery.fill("FHIR base URL", f"{stack.sandbox}/epic/test/api/FHIR/R4")
    avery.go_to("Short name", is_field=True)  # leaving the address shows what is behind it
    expect(page.locator("#preview .preview")).to_be_visible()
    page.keyboard.type(NAME)
    for app in ("Provider", "Patient", "Backend"):
        avery.fill(f"{app} app", f"{NAME}-{app.lower()}")
    avery.fill("Approver", DANA)
    avery.fill("Telehealth visit types", "VV30")
    avery.open("Save as draft")
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()


def build_in_epic(page: Page, stack) -> None:
    """Type into the twin what the App registrations say, as the analyst does in Epic."""
    page.goto(f"{stack.web}/setup/records/")
    answer = page.request.get(f"{page.url}records.json".replace("/records/records", "/records"))
    assert answer.ok
    [apps] = answer.json()["records"]
    said = {field["name"]: field["value"] for field in apps["fields"]}
    redirects = {
        "provider": [said["Provider app: redirect URI"], said["Provider app: second redirect URI"]],
        "patient": [said["Patient app: redirect URI"]],
        "backend": [],
    }
    clients = [
        {
            "client_id": said[f"{app.capitalize()} app: client id"], "app": app, "redirect_uris": uris,
            "jwks_url": said["JWK Set URL"],
        }
        for app, uris in redirects.items()
    ]  # fmt: skip
    Twin(stack.sandbox).set_up({"epic": [{"environment": "test", "clients": clients, "records": []}]})


def change_and_roll_back(empty, admin: Page, avery: Keyboard, analyst: Page, dana: Keyboard) -> None:
    admin.goto(f"{empty.web}/setup/endpoints/")
    avery.open(NAME, exact=True)
    avery.open("Change")
    avery.fill("Telehealth visit types", "VV30\nVGRP60")
    avery.open("Save as draft")
    to_approval(analyst, dana, empty, NAME)
    approve(analyst, dana)
    to_approval(admin, avery, empty, NAME)
    avery.open("Version 1", exact=True)
    avery.open("Put it back into the draft")
    to_approval(analyst, dana, empty, NAME)
    approve(analyst, dana)


def test_from_an_empty_database_to_records_and_back(empty, person, inspector):
    run(empty, "create_organization", "lamna", "--name", "Lamna Healthcare", "--tenant-id", TENANT)
    run(empty, "authorize_organization", "lamna", "test")
    with person("avery") as admin, person("dana") as analyst:
        avery = sign_in(admin, empty, AVERY)
        inspector.look(admin, "nothing-setup")
        describe_the_organization(admin, avery, empty)
        connect_teams(admin, avery, empty)
        add_base_url(admin, avery, empty)
        set_up_texts(admin, avery, empty)
        inspector.look(admin, "nothing-texts")
        build_in_epic(admin, empty)
        to_approval(admin, avery, empty, NAME)
        avery.open("Ask dana.ortiz to approve")

        dana = sign_in(analyst, empty, DANA)  # the first time: now the user name means this account
        check_beforehand(analyst, dana, empty, inspector)
        to_approval(analyst, dana, empty, NAME)
        expect(analyst.get_by_text(re.compile("Patients are texted about new visits")).first).to_be_visible()
        expect(analyst.get_by_text("This is the first approval of this connection: everything is new.")).to_be_visible()
        inspector.look(analyst, "nothing-first-approval")
        approve(analyst, dana)
        for record in ("Provider record", "Direct SMS record"):
            expect(analyst.get_by_role("heading", name=record, exact=True)).to_be_visible()

        change_and_roll_back(empty, admin, avery, analyst, dana)
        analyst.goto(f"{empty.web}/setup/approval/")
        expect(analyst.get_by_role("row", name=re.compile(f"{NAME}.*Approved.*Version 3"))).to_be_visible()
        admin.goto(f"{empty.web}/setup/")
        inspector.look(admin, "nothing-done")
    run(empty, "verify_audit")
