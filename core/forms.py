"""How forms look: Django's forms rendered by the components in ``core/components``."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import DjangoTemplates

# Widgets drawn as several controls: they need a fieldset and a legend instead of a label.
_GROUPS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


class PageFormRenderer(DjangoTemplates):
    """The project's ``FORM_RENDERER``: ``{{ form }}`` and ``as_field_group`` use our components."""

    form_template_name = "core/components/form_fields.html"
    field_template_name = "core/components/field.html"


@dataclass(frozen=True, kw_only=True)
class FieldProblem:
    """One line of the error summary; ``anchor`` is empty for an error of the whole form."""

    text: str
    anchor: str = ""


def layout_of(field: forms.BoundField) -> str:
    """Return which markup draws a field: ``group``, ``check`` or ``line``."""
    widget = field.field.widget
    if isinstance(widget, _GROUPS):
        return "group"
    return "check" if isinstance(widget, forms.CheckboxInput) else "line"


def anchor_of(field: forms.BoundField) -> str:
    """Return the id of the control that the error summary's link moves to."""
    if layout_of(field) == "group":
        return f"{field.auto_id}_0"
    return str(field.id_for_label or field.auto_id)


def errors_of(field: forms.BoundField) -> list[str]:
    """Return the field's errors; Django's own "required" words give way to ones that name the field."""
    return [_worded(field, error) for error in field.errors.as_data()]


def _worded(field: forms.BoundField, error: ValidationError) -> str:
    if error.code != "required" or error.message != forms.Field.default_error_messages["required"]:
        return " ".join(error.messages)
    return "Tick this box to go on" if layout_of(field) == "check" else f"Fill in “{field.label}”"


def problems_of(form: forms.BaseForm) -> list[FieldProblem]:
    """Return the form's errors in reading order: its own first, then field by field."""
    own = [FieldProblem(text=str(text)) for text in form.non_field_errors()]
    return own + [FieldProblem(text=text, anchor=anchor_of(field)) for field in form for text in errors_of(field)]


def has_problems(form: Any) -> bool:
    """Tell whether ``form`` is a bound form or formset with errors; other values have none."""
    return bool(getattr(form, "is_bound", False) and getattr(form, "errors", None))
