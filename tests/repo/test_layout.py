"""What the project says about itself stays true."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from core.jobs import QUEUES
from ehrconnector.celery import app
from ehrconnector.schedule import BEAT_SCHEDULE
from ehrconnector.stack import children

ROOT = Path(settings.BASE_DIR)
PACKAGES = (
    "accounts", "config_portal", "core", "ehrconnector", "epic", "hl7intake", "launch", "meetings", "reports",
    "sandbox", "sms", "visits", "writeback",
)  # fmt: skip
SOURCES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts
]
ERRORS = {
    "ConnectorError", "ConfigurationError", "UpstreamUnavailable", "UpstreamRejected", "OutcomeUnknown",
    "InvalidMessage", "LaunchRefused", "SignInRefused", "NotToBeSent", "NotNow", "TextRefused",
}  # fmt: skip
MOST_LINES, MOST_IN_A_FUNCTION = 400, 50


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_every_queue_has_a_worker_and_every_task_a_queue():
    app.loader.import_default_modules()
    command = " ".join(children.worker({}).argv)
    consumed = set(re.search(r"--queues=(\S+)", command).group(1).split(","))
    assert consumed == set(QUEUES)
    ours = [name for name in app.tasks if not name.startswith("celery.")]
    used = {app.amqp.router.route({}, name)["queue"].name for name in ours}
    assert used <= consumed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_readable(path):
    source = path.read_text()
    assert source.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < MOST_IN_A_FUNCTION, f"{node.name} is too long"


def error_codes() -> set[str]:
    """Every literal code with which one of our errors is raised."""
    codes = set()
    for path in SOURCES:
        if path.is_relative_to(ROOT / "sandbox"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS:
                values = {str(argument.value) for argument in node.args[:2] if isinstance(argument, ast.Constant)}
                codes |= {value for value in values if re.fullmatch(r"[a-z_0-9]+\.[a-z_0-9]+", value)}
    return codes


def test_every_error_code_is_explained():
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    missing = sorted(code for code in error_codes() if f"`{code}`" not in text)
    assert missing == []


def test_links_between_documents_lead_somewhere():
    broken = []
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text())
        missing = [target for target in targets if not (document.parent / target).exists()]
        broken += [f"{document.relative_to(ROOT)} → {target}" for target in missing]
    assert broken == []
