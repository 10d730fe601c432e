"""Acceptance test 49: after a whole visit nothing of the patient is where it does not belong."""

import base64
import json
import os
import re
import threading
from collections import Counter
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from ehrconnector.stack.databases import with_database
from ehrconnector.visit_player.browser import Browser

pytestmark = pytest.mark.xdist_group("stack")
PHONE, RECORD_NUMBER = "6085550177", "E40021877"
CANARIES = (
    PHONE,
    "608)555-0177",
    "608-555-0177",
    RECORD_NUMBER,
    "RIVERA",
    "Rivera",
    "elena.rivera",
    "eX.rivera",
    "19840519",
)
MOST_OF_A_KIND, MOST_PAGES = 6, 600
_NUMBER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}|(?<==)\d+|\d{3,}")
_LINK_KEY = re.compile(r"/j/[\w-]{2}")  # a hyphen stands for one that was taken out


@contextmanager
def overheard(url):
    """Collect every command that the product sends to its Redis database, task arguments decoded."""
    number, heard = urlsplit(url).path.lstrip("/"), []
    client = redis.Redis.from_url(url)
    with client.monitor() as monitor:

        def listen():
            for said in monitor.listen():
                if str(said["db"]) == number:
                    heard.append(said["command"])
                if "the visit is over" in said["command"]:
                    return

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield heard
        finally:
            client.echo("the visit is over")
            listener.join()
    heard += [body for each in list(heard) for body in _bodies(each)]


def _bodies(command):
    """Return what is inside the messages of a queue: Celery sends it as base64 in JSON."""
    for body in re.findall(r'"body\W+([A-Za-z0-9+/=]{8,})', command):
        yield base64.b64decode(body).decode(errors="replace")


def signed_in(stack, username):
    """Return the browser of somebody of the staff."""
    browser = Browser()
    page = browser.open(f"{stack.web}/")
    accounts = browser.send(next(form for form in page.forms if form.method == "post"))
    person = next(part for part in accounts.text.split("<li>") if username in part)
    browser.send(accounts.forms[0], account=re.search(r'name="account" value="([^"]+)"', person)[1])
    return browser


def everything_shown(browser, start, *, first):
    """Return address → content of every kind of page and export that can be reached by links.

    :param first: where to begin; of each kind so many are opened as ``MOST_OF_A_KIND``, those of other visits last.
    """
    shown, waiting, of_a_kind = {}, [first, start], Counter()
    while waiting:
        address = waiting.pop(0)
        kind = _NUMBER.sub("*", urlsplit(address).path)
        of_a_kind[kind] += 1
        if of_a_kind[kind] > MOST_OF_A_KIND:
            continue
        page = browser.open(address)
        shown[address] = page.text
        here = (urlsplit(link)._replace(fragment="").geturl() for link in page.links)
        waiting += [link for link in here if link.startswith(start) and link not in shown and link not in waiting]
        assert len(shown) < MOST_PAGES
    return shown


def stored(stack):
    """Return table → everything that the product's database holds in it, as text and as the text of its bytes."""
    url = with_database(os.environ["DATABASE_URL"], urlsplit(stack.env["DATABASE_URL"]).path.lstrip("/"))
    with psycopg.connect(url) as connection:
        named = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        return {
            table: "\n".join(row for (row,) in connection.execute(f'SELECT t::text FROM "{table}" AS t'))  # noqa: S608 - from the catalogue
            for (table,) in named.fetchall()
        }


def files_of(stack):
    """Return name → content of every file that the product wrote: logs, and whatever else is in its folder."""
    root = stack.log.parent
    found = (path for path in root.rglob("*") if path.is_file() and "sandbox" not in path.name)
    return {str(path.relative_to(root)): path.read_bytes().decode(errors="replace") for path in found}


def assert_clean(where, content):
    for canary in CANARIES:
        assert canary not in content, f"{canary} is in {where}"
        assert canary.encode().hex() not in content, f"{canary} is in {where}, as bytes"


def test_a_whole_visit_leaves_nothing_of_the_patient_behind(stack):
    with overheard(stack.env["REDIS_URL"]) as heard:
        played = stack.manage("play_visit", "--json")
    visit = json.loads(played.stdout)
    assert visit["failure"] == ""
    assert any("sms.deliver_due" in command for command in heard), "nothing was overheard"
    assert_clean("a command to Redis", "\n".join(heard))
    files = files_of(stack)
    assert any(name.endswith(".log") for name in files)
    for name, content in files.items():
        assert_clean(name, content)
        assert not _LINK_KEY.search(content) or not name.endswith(".log"), name
    for table, content in stored(stack).items():
        assert_clean(table, content)
    staff = signed_in(stack, "avery.reed@lamna.example.org")
    shown = everything_shown(staff, stack.web, first=f"{stack.web}/visits/search?q={visit['csn']}")
    assert any("/messages/" in address for address in shown)
    assert any(visit["reference"] in content for content in shown.values()), "the visit itself was not shown"
    assert any("csv" in address for address in shown), "no export was found"
    for address, content in shown.items():
        assert_clean(address, content)
