"""Put the rows of a table in the order that a person chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import F, Model, QuerySet

Row = TypeVar("Row", bound=Model)

PAGE = 25


@dataclass(frozen=True, kw_only=True)
class Order:
    """By what rows can be sorted: key → column.

    ``usual`` is a key that is never empty and has an index in its plain order; ``last`` decides between equals.
    """

    columns: Mapping[str, str]
    usual: str
    last: str

    @property
    def newest_first(self) -> str:
        """What is sorted by unless something else is chosen."""
        return f"-{self.usual}"

    def apply(self, rows: "QuerySet[Row]", sort: str) -> "QuerySet[Row]":
        """Return the rows in the order of ``sort``: a key, with - before it downwards; empty values last."""
        key = sort.removeprefix("-")
        column = F(self.columns.get(key, self.columns[self.usual]))
        ends = {"nulls_last": True} if key in self.columns and key != self.usual else {}
        order = column.desc(**ends) if sort.startswith("-") else column.asc(**ends)
        return rows.order_by(order, self.last)


def page(rows: "QuerySet[Row]", number: int) -> "QuerySet[Row]":
    """Return one page of the rows, from 1."""
    return rows[(number - 1) * PAGE : number * PAGE]
