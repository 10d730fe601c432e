"""Ways to ask the database that Django has not."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import connection, models
from django.db.models.expressions import Expression
from django.db.models.query import RelatedPopulator, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

AnyRow = TypeVar("AnyRow", bound=models.Model)
Given = uuid.UUID | str | int


class Lookup(Generic[AnyRow]):
    """A question for one row whose SQL is written once; for what every launch asks.

    Django writes the SQL of a query each time anew: for a row with two joined ones that takes several times as long as
    to send it and to build the three objects. What is written here is Django's own SQL for the same query set, with
    places for what is looked for, and its own code builds the objects.

    :param rows: returns the query set to look in; called whenever something is looked for, so that a manager may
        refuse to answer.
    :param by: the fields that are compared with what is given; over relations as in ``filter``.
    """

    def __init__(self, rows: Callable[[], models.QuerySet[AnyRow]], *by: str) -> None:
        self._rows, self._by = rows, by

    def get(self, *given: Given) -> AnyRow:
        """Return the row that must be there.

        :raises ObjectDoesNotExist: when it is not.
        """
        found = self.find(*given)
        if found is None:
            raise ObjectDoesNotExist(self._question.model.__name__)
        return found

    def find(self, *given: Given) -> AnyRow | None:
        """Return the row for which each field of ``by`` is what is given in its place, or None."""
        self._rows()
        question = self._question
        with connection.cursor() as cursor:
            cursor.execute(question.sql, question.parameters(dict(zip(self._by, given, strict=True))))
            row = cursor.fetchone()
        return None if row is None else question.build(row)

    @cached_property
    def _question(self) -> "_Question[AnyRow]":
        # Not in an order: one row at most is found, and to sort Django compares every column of every joined table.
        rows = self._rows().filter(**{name: _Place(name) for name in self._by}).order_by()[:1]
        return _Question.of(rows, self._by)


class _Place(Expression):
    """Where a value will stand."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: object) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


@dataclass(frozen=True, kw_only=True)
class _Question(Generic[AnyRow]):
    """The SQL of a :class:`Lookup` and what turns a row of its answer into objects.

    :param places: what the SQL takes, in its order: values, and where those that are looked for belong.
    """

    sql: str
    places: Sequence[object]
    fields: Mapping[str, models.Field[Any, Any]]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], object]]
    model: type[AnyRow]
    columns: slice
    names: Sequence[str]
    joined: Sequence[RelatedPopulator]

    @classmethod
    def of(cls, rows: models.QuerySet[AnyRow], by: Sequence[str]) -> "_Question[AnyRow]":
        compiler = rows.query.get_compiler(using=rows.db)
        sql, places = compiler.as_sql()
        known: dict[str, Any] = compiler.klass_info or {}
        columns = slice(known["select_fields"][0], known["select_fields"][-1] + 1)
        expressions = [expression for expression, *_ in compiler.select]
        return cls(
            sql=sql,
            places=places,
            fields={name: _field(rows.model, name) for name in by},
            converters=compiler.get_converters(expressions),
            model=rows.model,
            columns=columns,
            names=[expression.target.attname for expression in expressions[columns]],
            joined=get_related_populators(known, compiler.select, rows.db),  # type: ignore[call-arg]  # of Django 6
        )

    def parameters(self, given: Mapping[str, Given]) -> list[Any]:
        """Return what the SQL takes when ``given`` is looked for."""
        return [self._prepared(place.name, given) if isinstance(place, _Place) else place for place in self.places]

    def build(self, row: Sequence[Any]) -> AnyRow:
        """Return the object, with its joined ones, that a row of the answer is."""
        values = list(row)
        for position, (converters, expression) in self.converters.items():
            for convert in converters:
                values[position] = convert(values[position], expression, connection)
        found = self.model.from_db(connection.alias, self.names, values[self.columns])
        for one in self.joined:
            one.populate(values, found)
        return found

    def _prepared(self, name: str, given: Mapping[str, Given]) -> object:
        return self.fields[name].get_db_prep_value(given[name], connection)


def _field(model: type[models.Model], path: str) -> models.Field[Any, Any]:
    """Return the field at the end of ``path``."""
    first, _, rest = path.partition("__")
    field = model._meta.get_field(first)
    if rest and field.related_model is not None:
        return _field(field.related_model, rest)
    if not isinstance(field, models.Field):
        raise FieldDoesNotExist(f"{path} of {model} has no column")
    return field
