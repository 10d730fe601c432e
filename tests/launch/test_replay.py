"""The same way back from Epic, loaded many times at once: one of them counts."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from launch.models import LaunchAttempt
from meetings.models import Meeting
from tests.launch.epic import TOKEN
from tests.launch.pages import code_of

AT_ONCE = 6


@pytest.mark.django_db(transaction=True)
def test_of_many_returns_at_once_one_arrives_and_makes_the_only_token_request(launch, epic, graph):
    begun = launch().begin()
    begun.answer()
    together = Barrier(AT_ONCE)

    def come_back(_):
        try:
            together.wait(timeout=10)
            return begun.come_back()
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as browsers:
        pages = list(browsers.map(come_back, range(AT_ONCE)))
    assert sorted(page.status_code for page in pages) == [303] + [400] * (AT_ONCE - 1)
    assert {code_of(page) for page in pages if page.status_code == 400} == {"launch.state_used"}
    assert len(epic.calls(TOKEN)) == 1
    assert Meeting.objects.count() == 1
    assert LaunchAttempt.objects.get().state == LaunchAttempt.State.ARRIVED
