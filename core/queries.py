"""Ways to ask the database that Django has not."""

from typing import TypeVar

from django.db import models

AnyRow = TypeVar("AnyRow", bound=models.Model)


def one_of(rows: models.QuerySet[AnyRow]) -> AnyRow | None:
    """Return the row that ``rows`` finds, or None; for conditions that hold for one row at most.

    ``first()`` would sort, for which Django compares every column of every joined table: a third of a look-up's time.
    """
    return next(iter(rows.order_by()[:1]), None)
