from itertools import islice
from uuid import RFC_4122, UUID

from core.models import new_ids


def test_row_ids_are_random_uuids_each_given_once():
    given = [UUID(text) for text in islice(new_ids(), 300)]

    assert {(one.version, one.variant) for one in given} == {(4, RFC_4122)}
    assert len(set(given)) == 300
    assert [str(one) for one in given[:1]] != list(islice(new_ids(), 1))
