"""Acceptance test 58: what is installed is what was locked, and nothing for trying out is on by default."""

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
from importlib import metadata
from io import StringIO

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver
from packaging.markers import Marker

from accounts.models import User
from ehrconnector.stack import sbom
from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.environment import production_example
from tests.repo.access_table import ACCESS
from tests.repo.test_access import addresses

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")
COMES_WITH_PYTHON = {"pip", "setuptools", "wheel"}
SECRETS = ("SECRET_KEY", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEYS", "INDEX_KEY")


def needed(lock):
    return {
        package.name: package.version
        for package in sbom.pinned(PROJECT / lock)
        if not package.marker or Marker(package.marker).evaluate()
    }


def installed():
    return {
        re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(): package.version
        for package in metadata.distributions()
    }


def test_what_is_installed_is_what_was_locked():
    wanted = {name: version for lock in LOCKS for name, version in needed(lock).items()}
    found = {name: version for name, version in installed().items() if name not in COMES_WITH_PYTHON}
    assert found == wanted


def test_both_locks_agree_on_versions_and_archives():
    runtime = {package.name: package for package in sbom.pinned(PROJECT / "requirements.txt")}
    development = {package.name: package for package in sbom.pinned(PROJECT / "requirements-dev.txt")}
    assert {name: development[name] for name in runtime} == runtime


def test_no_installed_file_differs_from_what_its_package_brought():
    """The archive was checked against the lock when it was installed; its own list covers every file since."""
    changed = []
    for package in metadata.distributions():
        for name, digest, _ in csv.reader(StringIO(package.read_text("RECORD") or "")):
            path = package.locate_file(name)
            kind, _, wanted = digest.partition("=")
            if not digest or name.startswith("..") or not path.exists():
                continue
            assert kind == "sha256"
            actual = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            if actual != wanted:
                changed.append(name)
    assert changed == []


def test_nothing_is_installed_without_its_hash():
    makefile = (PROJECT / "Makefile").read_text()
    installs = re.findall(r"^.*pip install.*$", makefile, re.MULTILINE)
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_the_bill_of_materials_names_every_package_that_runs():
    done = subprocess.run(
        [sys.executable, "-m", "ehrconnector.stack", "sbom"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {component["name"]: component["version"] for component in bill["components"]}
    assert needed("requirements.txt").items() <= named.items()
    assert len({component["bom-ref"] for component in bill["components"]}) == len(bill["components"])
    assert all(component["externalReferences"][0]["hashes"] for component in bill["components"])


@pytest.mark.parametrize("line", ["django>=5.2", "django==5.2.19", "-e ."])
def test_a_lock_that_does_not_pin_is_no_lock(tmp_path, line):
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="does not pin"):
        list(sbom.pinned(lock))


def load(**changes):
    """Load the production settings in a process of their own; return what they say about debugging."""
    env = {name: value for name, value in {**production_example(), **changes}.items() if value is not None}
    program = "from ehrconnector import settings; print(settings.DEBUG, 'sandbox' in settings.INSTALLED_APPS)"
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", program], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )


def test_debugging_cannot_be_switched_on_and_the_sandbox_is_not_installed():
    assert settings.DEBUG is False
    assert load(DEBUG="true", DJANGO_DEBUG="1").stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_has_a_default(name):
    done = load(**{name: None})
    assert done.returncode != 0
    assert ImproperlyConfigured.__name__ in done.stderr
    assert name in done.stderr


@pytest.mark.django_db
def test_a_new_database_holds_no_account():
    assert not User.objects.exists()


def test_no_address_leads_into_the_sandbox():
    for name, view in addresses():
        assert not getattr(view, "__module__", "").startswith("sandbox"), name
    assert not [pattern for pattern in get_resolver().url_patterns if "sandbox" in str(pattern.pattern)]
    assert ACCESS["styleguide"] == "operator"
