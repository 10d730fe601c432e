"""The components of the product, as template tags. They are builtins: templates load nothing.

::

    {% icon "check" %}   {% tag "ok" "Accepted" %}   {% notice "warn" title="…" %}…{% endnotice %}
    {% button "Approve production Epic" kind="primary" %}   {% button "View" href=url %}
    {% post_button "Send a reminder" action=url %}   {% menu label="…" %}…{% endmenu %}
    {% page_head title="…" lead="…" crumbs=pairs status="…" status_tone="warn" %}actions{% endpage_head %}
    {% card title="…" flush=True %}…{% endcard %}   {% empty_state title="…" text="…" %}
    {% stats %}{% stat "Lobby wait" "4:12" "median today 1:50" %}{% endstats %}
    {% timeline entries %}   {% task_list tasks %}   {% definitions rows %}   {% tabs links label="…" %}
    {% table caption="…" %}<thead>…</thead><tbody>…</tbody>{% endtable %}
    {% copy value label="…" %}   {% copy_field label="…" value=value %}   {% progress 4 7 label="…" %}
    {% when moment style="time" %}   {% since moment style="clock" %}   {{ url|breakable }}
    {% field form.name %}   {% error_summary form %}   {% form_fields form %}
    {% band "test" name="…" detail="…" %}   {% help_card phone="…" %}   {% language_switch %}   {% theme_switch %}

A tone is one of ok, warn, bad, info, neutral; each has a shape beside its colour. Unknown keywords
of ``button`` and ``menu`` become HTML attributes: underscores turn into hyphens,
True gives a bare attribute, and None, False and "" leave it out. The style guide shows every tag.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django import forms, template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core import forms as form_markup
from core import moments
from core.page import EnvironmentBand

register = template.Library()

_ICONS = Path(__file__).resolve().parent.parent / "static" / "core" / "icons"
_TONE_ICONS = {"ok": "done", "warn": "alert", "bad": "stop", "info": "info", "neutral": "dot", "next": "dot"}
# Names of Django's message levels, see django.contrib.messages.constants.DEFAULT_TAGS.
_MESSAGE_TONES = {"success": "ok", "warning": "warn", "error": "bad", "info": "info", "debug": "neutral"}
_KINDS = ("primary", "secondary", "subtle", "danger")


# --- Small parts ----------------------------------------------------------------------------------
@cache
def _drawing(name: str) -> SafeString:
    svg = (_ICONS / f"{name}.svg").read_text(encoding="utf-8").strip()
    # The drawings are our own files, never input.
    return mark_safe(svg.replace("<svg ", f'<svg class="icon icon-{name}" aria-hidden="true" focusable="false" ', 1))  # noqa: S308


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon inline, in the colour of the text; it is decoration and never read aloud."""
    return _drawing(name)


@register.filter
def tone_icon(tone: str) -> SafeString:
    """Draw the shape that goes with a tone, so that no state rests on colour alone."""
    return _drawing(_TONE_ICONS[_tone(tone)])


@register.filter
def message_tone(level_tag: str) -> str:
    """Return the tone of a Django message level such as ``success``."""
    return _MESSAGE_TONES.get(level_tag, "info")


@register.simple_tag
def tag(tone: str, text: Any) -> SafeString:
    """Show a state in a few words, with the shape and colour of its tone."""
    tone = _tone(tone)
    return format_html('<span class="tag tag-{}">{}{}</span>', tone, _drawing(_TONE_ICONS[tone]), text)


def _tone(tone: str) -> str:
    if tone not in _TONE_ICONS:
        raise template.TemplateSyntaxError(f"Unknown tone {tone!r}; use one of {', '.join(_TONE_ICONS)}")
    return tone


def _attributes(values: Mapping[str, Any]) -> SafeString:
    """Write keyword arguments as HTML attributes, each with a space before it."""
    given = [(name.rstrip("_").replace("_", "-"), value) for name, value in values.items()]
    wanted = [(name, value) for name, value in given if value is not None and value is not False and value != ""]
    return format_html_join("", "{}", ((format_html(" {}" if v is True else ' {}="{}"', n, v),) for n, v in wanted))


def _button_classes(kind: str, *, is_small: bool) -> str:
    if kind not in _KINDS:
        raise template.TemplateSyntaxError(f"Unknown button kind {kind!r}; use one of {', '.join(_KINDS)}")
    return f"button button-{kind}{' button-small' if is_small else ''}"


# --- Actions --------------------------------------------------------------------------------------
@register.inclusion_tag("core/components/button.html")
def button(
    label: Any,
    *,
    kind: str = "secondary",
    href: str = "",
    type: str = "submit",  # noqa: A002 - HTML's own name
    icon: str = "",
    small: bool = False,
    **attrs: Any,
) -> dict[str, Any]:
    """Draw a button that names its act; with ``href`` it is a link."""
    return {
        "label": label,
        "href": href,
        "type": type,
        "icon": icon,
        "classes": _button_classes(kind, is_small=small),
        "attrs": _attributes(attrs),
    }


@register.inclusion_tag("core/components/post_button.html", takes_context=True)
def post_button(
    context: template.Context,
    label: Any,
    *,
    action: str = "",
    kind: str = "secondary",
    name: str = "",
    value: Any = "",
    icon: str = "",
    small: bool = False,
    aria_label: str = "",
) -> dict[str, Any]:
    """Draw a form of one button for an act that changes something; ``aria_label`` names it where several look alike."""
    return {
        "label": label,
        "action": action,
        "kind": kind,
        "name": name,
        "value": value,
        "icon": icon,
        "small": small,
        "aria_label": aria_label,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("core/components/copy.html")
def copy(value: Any, *, label: str = "", text: str = "Copy") -> dict[str, Any]:
    """Draw a button that copies ``value`` and says so; ``label`` names what is copied."""
    return {"value": value, "label": label, "text": text}


@register.inclusion_tag("core/components/copy_field.html")
def copy_field(label: str, value: Any, *, copied: bool = False) -> dict[str, Any]:
    """Show a value to be typed elsewhere, beside a copy button; ``copied`` shows the tick at once."""
    return {"label": label, "value": value, "copied": copied}


@register.simple_block_tag
def menu(content: str, label: Any, *, icon: str = "", align: str = "start", **attrs: Any) -> SafeString:
    """Draw a button that opens a list of links or buttons (class ``menu-item``)."""
    return render_to_string(
        "core/components/menu.html",
        {"content": content, "label": label, "icon": icon, "align": align, "attrs": _attributes(attrs)},
    )


# --- Structure ------------------------------------------------------------------------------------
@register.simple_block_tag
def card(
    content: str,
    *,
    title: Any = "",
    lead: Any = "",
    flush: bool = False,
    heading: str = "h2",
    id: str = "",  # noqa: A002 - HTML's own name
) -> SafeString:
    """Frame a part of the page; ``flush`` leaves out the padding, for tables and lists."""
    return render_to_string(
        "core/components/card.html",
        {"content": content, "title": title, "lead": lead, "flush": flush, "heading": heading, "id": id},
    )


@register.simple_block_tag
def page_head(
    content: str,
    *,
    title: Any,
    eyebrow: Any = "",
    lead: Any = "",
    crumbs: Iterable[tuple[str, str]] = (),
    status: Any = "",
    status_tone: str = "neutral",
) -> SafeString:
    """Open a page: where am I (crumbs), what is the state (status, lead), what can I do (the content)."""
    return render_to_string(
        "core/components/page_head.html",
        {
            "content": content if content.strip() else "",
            "title": title,
            "eyebrow": eyebrow,
            "lead": lead,
            "crumbs": list(crumbs),
            "status": status,
            "status_tone": status_tone,
        },
    )


@register.simple_block_tag
def notice(content: str, tone: str = "info", *, title: Any = "", live: bool = False) -> SafeString:
    """Say something that matters now; ``live`` reads it aloud when it appears or changes."""
    return render_to_string(
        "core/components/notice.html", {"content": content, "tone": _tone(tone), "title": title, "live": live}
    )


@register.simple_block_tag
def stats(content: str) -> SafeString:
    """Lay out ``stat`` cards side by side."""
    return format_html('<div class="stats">{}</div>', content)


@register.simple_block_tag
def table(content: str, *, caption: Any, hide_caption: bool = False, sticky: bool = False) -> SafeString:
    """Frame rows so that a wide table scrolls in itself, by keyboard too, and never the page."""
    return render_to_string(
        "core/components/table.html",
        {"content": content, "caption": caption, "hide_caption": hide_caption, "sticky": sticky},
    )


@register.inclusion_tag("core/components/band.html")
def band(environment: EnvironmentBand | str, *, name: str = "", detail: str = "") -> dict[str, Any]:
    """Write which environment the page belongs to, across its whole width."""
    if isinstance(environment, EnvironmentBand):
        return {"band": environment}
    return {"band": EnvironmentBand(environment=environment, name=name, detail=detail)}


@register.inclusion_tag("core/components/tabs.html")
def tabs(links: Iterable[tuple[str, str, bool]], *, label: str) -> dict[str, Any]:
    """Draw links to sibling pages: (label, url, is it this page)."""
    return {"links": list(links), "label": label}


# --- Content --------------------------------------------------------------------------------------
@register.inclusion_tag("core/components/stat.html")
def stat(label: Any, value: Any, note: Any = "", *, tone: str = "", href: str = "") -> dict[str, Any]:
    """Show one number with its name and what to compare it with."""
    return {"label": label, "value": value, "note": note, "tone": tone, "href": href}


@register.inclusion_tag("core/components/timeline.html", takes_context=True)
def timeline(context: template.Context, entries: Iterable[Any]) -> dict[str, Any]:
    """List what happened: time_text, iso, tone, title, detail, outcome, outcome_tone[, action_…]."""
    return {"entries": entries, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("core/components/task_list.html", takes_context=True)
def task_list(context: template.Context, tasks: Iterable[Any]) -> dict[str, Any]:
    """List tasks: title, detail, state (done, current, waiting, todo), status, status_tone[, action_…]."""
    return {"tasks": tasks, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("core/components/empty_state.html")
def empty_state(
    *, title: Any, text: Any = "", action_label: str = "", action_url: str = "", icon: str = ""
) -> dict[str, Any]:
    """Stand in for a list with nothing in it and name the next act."""
    return {"title": title, "text": text, "action_label": action_label, "action_url": action_url, "icon": icon}


@register.inclusion_tag("core/components/definitions.html")
def definitions(rows: Iterable[Any]) -> dict[str, Any]:
    """List names and values: pairs, or objects with label, value and, when it may be copied, copy."""
    return {"rows": [_definition(row) for row in rows]}


def _definition(row: Any) -> dict[str, Any]:
    # A template would find the method dict.copy where a mapping has no "copy" of its own.
    if isinstance(row, tuple):
        return {"label": row[0], "value": row[1], "can_copy": False}
    if isinstance(row, Mapping):
        return {"label": row["label"], "value": row["value"], "can_copy": bool(row.get("copy"))}
    return {"label": row.label, "value": row.value, "can_copy": bool(getattr(row, "copy", False))}


@register.inclusion_tag("core/components/progress.html")
def progress(value: float, maximum: float, *, label: Any) -> dict[str, Any]:
    """Show how much is done, in words and as a bar."""
    return {"value": value, "maximum": maximum, "label": label}


@register.simple_tag
def when(moment: datetime | None, *, style: str = "full", tz: str = "") -> SafeString | str:
    """Write a time with its zone, UTC on hover; ``style``: full, date, time, seconds or day."""
    if moment is None:
        return ""
    words = moments.written(moment, style=style, zone_name=tz)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), moments.in_utc(moment), words)


@register.simple_tag
def since(
    moment: datetime | None, *, style: str = "words", one: str = "{} min", many: str = "{} min"
) -> SafeString | str:
    """Count the time since ``moment``, live; ``one`` and ``many`` hold {} where the minutes go."""
    if moment is None:
        return ""
    # The clock is read here, at the edge: the browser goes on counting from this age.
    age = max(0, int((timezone.now() - moment).total_seconds()))
    attrs = _attributes({"data_style": style, "data_one": one, "data_many": many})
    words = moments.elapsed(age, style=style, one=one, many=many)
    return format_html(
        '<span class="num" data-since="{}" data-age="{}"{}>{}</span>', moment.isoformat(), age, attrs, words
    )


@register.filter
def breakable(address: Any) -> SafeString:
    """Let an address go on in the next line behind a slash or @, where people expect it, not within a word."""
    parts = re.split(r"(?<=[^/:]/)(?=[^/])|(?<=@)", str(address))
    return mark_safe("<wbr>".join(escape(part) for part in parts))  # noqa: S308 - every part is escaped


# --- Forms ----------------------------------------------------------------------------------------
@register.inclusion_tag("core/components/field.html")
def field(bound: forms.BoundField) -> dict[str, Any]:
    """Draw a field with its label, hint and error, tied together for screen readers."""
    return {"field": bound}


register.filter("field_layout", form_markup.layout_of)
register.filter("field_errors", form_markup.errors_of)
register.filter("has_problems", form_markup.has_problems)


@register.inclusion_tag("core/components/error_summary.html")
def error_summary(*bound_forms: forms.BaseForm) -> dict[str, Any]:
    """List what must be put right in these forms, with a link to each field; nothing when all is well."""
    bound = [form for form in bound_forms if form_markup.has_problems(form)]
    return {"problems": [problem for form in bound for problem in form_markup.problems_of(form)]}


@register.inclusion_tag("core/components/form_fields.html")
def form_fields(form: forms.BaseForm) -> dict[str, Any]:
    """Draw a whole form but its frame and buttons: error summary, hidden and visible fields."""
    return {"form": form}


# --- Frame ----------------------------------------------------------------------------------------
@register.inclusion_tag("core/components/help_card.html")
def help_card(*, phone: str = "") -> dict[str, Any]:
    """Show the number to call, at the same place on every patient page (WCAG 2.2, 3.2.6)."""
    return {"phone": phone, "dialled": "".join(c for c in phone if c in "+0123456789")}


@register.inclusion_tag("core/components/language_switch.html", takes_context=True)
def language_switch(context: template.Context) -> dict[str, Any]:
    """Offer the page in the other languages, each named in itself; needs the URL ``set_language``."""
    request = context.get("request")
    return {
        "csrf_token": context.get("csrf_token"),
        "next": request.get_full_path() if request else "/",
        "languages": settings.LANGUAGES,  # Django's own tag would translate their names
    }


@register.inclusion_tag("core/components/theme_switch.html", takes_context=True)
def theme_switch(context: template.Context) -> dict[str, Any]:
    """Offer the system's look, light or dark; kept in a cookie, shown only where scripts run."""
    page = context.get("page")
    return {"theme": page.theme if page else "system"}
