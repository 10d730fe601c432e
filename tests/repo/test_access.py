"""No address without a rule, no rule without an address."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.repo.access_table import ACCESS

ADMIN = "admin"


def addresses(patterns=None, prefix=()) -> Iterator[tuple[str, object]]:
    """Yield the name and view of every address but Django admin's, which superusers alone may open."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace == ADMIN:
                continue
            space = (*prefix, pattern.namespace) if pattern.namespace else prefix
            yield from addresses(pattern.url_patterns, space)
        elif isinstance(pattern, URLPattern):
            yield ":".join((*prefix, pattern.name or str(pattern.pattern))), pattern.callback


FOUND = dict(addresses())


@pytest.mark.parametrize("name", sorted(FOUND))
def test_an_address_has_the_rule_that_the_table_says(name):
    assert name in ACCESS, f"{name} is not in tests/repo/access_table.py"
    assert getattr(FOUND[name], "access", None) == ACCESS[name]


def test_the_table_names_no_address_that_is_gone():
    assert set(ACCESS) <= set(FOUND)
