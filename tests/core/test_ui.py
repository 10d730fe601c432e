"""Component tags, layouts and forms: what they say, and that they say it to everybody."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.loader import render_to_string
from django.test import RequestFactory

from core import moments
from core.forms import PageFormRenderer
from core.page import EnvironmentBand, ErrorPage, Page
from core.views_session import extend_session
from core.views_styleguide import styleguide

CORE = Path(__file__).resolve().parents[2] / "core"
TEMPLATES = sorted((CORE / "templates").rglob("*.html"))
ICONS = {path.stem for path in (CORE / "static/core/icons").glob("*.svg")}
MOMENT = datetime(2026, 11, 24, 20, 0, 5, tzinfo=UTC)


class AddressForm(forms.Form):
    address = forms.URLField(label="FHIR base URL", help_text="As Epic gave it", assume_scheme="https")
    environment = forms.ChoiceField(label="Environment", widget=forms.RadioSelect, choices=[("t", "Test")])
    consent = forms.BooleanField(label="Patients have agreed.")


def render(source: str, **context: Any) -> str:
    return re.sub(r"\s+", " ", Template(source).render(Context(context))).strip()


def test_an_address_may_be_broken_behind_a_slash_or_at_and_is_escaped():
    html = render("{{ address|breakable }}", address="https://fhir.example.org/api/FHIR/R4?<b>")
    assert html == "https://fhir.example.org/<wbr>api/<wbr>FHIR/<wbr>R4?&lt;b&gt;"
    assert render("{{ who|breakable }}", who="dana.ortiz@lamna.example.org") == "dana.ortiz@<wbr>lamna.example.org"


def a_request(path: str = "/", **attributes: Any) -> HttpRequest:
    request = RequestFactory().get(path)
    for name, value in attributes.items():
        setattr(request, name, value)
    return request


def a_person(**attributes: Any) -> SimpleNamespace:
    known = {"is_authenticated": True, "is_superuser": False, "get_full_name": lambda: "kim.soto@lamna.example.org"}
    return SimpleNamespace(**(known | attributes))


# --- Tags -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("tone", ["ok", "warn", "bad", "info", "neutral"])
def test_a_status_tag_has_a_shape_and_words(tone):
    html = render("{% tag tone 'Accepted' %}", tone=tone)
    assert f'class="tag tag-{tone}"' in html
    assert "<svg" in html
    assert "Accepted" in html


def test_an_unknown_tone_is_refused():
    with pytest.raises(TemplateSyntaxError, match="purple"):
        render("{% tag 'purple' 'Accepted' %}")


def test_a_button_is_a_submit_button_unless_it_has_an_address():
    assert 'type="submit"' in render("{% button 'Approve' kind='primary' %}")
    assert render("{% button 'View' href='/x' %}").startswith('<a class="button button-secondary" href="/x"')


def test_keywords_of_a_button_become_attributes_and_empty_ones_do_not():
    html = render(
        "{% button 'Go' hx_post='/x' data_ready=True disabled=False value='' aria_label=label %}", label='"A"'
    )
    assert ' hx-post="/x" data-ready aria-label="&quot;A&quot;"' in html
    assert "disabled" not in html
    assert "value" not in html


def test_labels_are_escaped():
    assert "<b>" not in render("{% button label %}{% tag 'ok' label %}{% stat label label %}", label="<b>x</b>")


def test_a_button_of_unknown_kind_is_refused():
    with pytest.raises(TemplateSyntaxError, match="huge"):
        render("{% button 'Go' kind='huge' %}")


def test_a_post_button_is_named_itself_and_not_its_form():
    form, button = render("{% post_button 'Retry' action='/x' aria_label='Retry 7' %}").split("<button")
    assert "aria-label" not in form
    assert 'aria-label="Retry 7"' in button


def test_a_post_button_carries_the_csrf_token():
    html = render("{% post_button 'Retry' action='/x' %}", csrf_token="t0ken")
    assert 'method="post" action="/x"' in html
    assert 'value="t0ken"' in html


def test_page_head_leaves_out_what_is_not_given():
    html = render("{% page_head title='Visit' %} {% endpage_head %}")
    assert "<h1>Visit</h1>" in html
    assert "page-head-actions" not in html
    assert "crumbs" not in html


def test_actions_of_a_page_head_are_markup_not_text():
    html = render("{% page_head title='Visit' %}{% button 'Open' %}{% endpage_head %}")
    assert "<button" in html
    assert "&lt;button" not in html


def test_only_definitions_that_ask_for_it_can_be_copied():
    rows = [("Name", "Lamna"), {"label": "URL", "value": "u", "copy": True}, {"label": "Zone", "value": "z"}]
    html = render("{% definitions rows %}", rows=rows)
    assert re.findall(r'data-copy="(\w+)"', html) == ["u"]


def test_a_copy_button_says_what_was_copied():
    html = render("{% copy 'abc' label='client ID' %}")
    assert 'data-copy="abc" data-copied-text="Copied client ID"' in html


def test_a_task_that_is_done_shows_a_tick_and_words():
    tasks = [{"title": "Keys", "state": "done", "status": "Done"}, {"title": "Approve", "status": "Cannot start yet"}]
    html = render("{% task_list tasks %}", tasks=tasks)
    assert "icon-check" in html
    assert "Done" in html
    assert '<span class="task-mark" aria-hidden="true">2</span>' in html


def test_a_timeline_entry_keeps_the_machine_readable_time():
    entries = [
        {"time_text": "10:30", "iso": "2026-11-14T16:30:00Z", "tone": "ok", "title": "Sent", "outcome": "Delivered"}
    ]
    html = render("{% timeline entries %}", entries=entries)
    assert '<time datetime="2026-11-14T16:30:00Z"' in html
    assert "tag-neutral" in html


def test_a_scrolling_table_can_be_reached_by_keyboard_and_has_a_name():
    html = render("{% table caption='Visits' hide_caption=True %}<tbody></tbody>{% endtable %}")
    assert 'role="region" aria-label="Visits" tabindex="0"' in html
    assert '<caption class="visually-hidden">Visits</caption>' in html


def test_the_environment_is_written_in_words():
    band = EnvironmentBand(environment="production", name="lamna-main")
    assert "<strong>PRODUCTION</strong>" in render("{% band band %}", band=band)


def test_the_help_card_dials_the_number_it_shows():
    html = render("{% help_card phone='(608) 555-0110' %}")
    assert 'href="tel:6085550110"' in html
    assert "(608) 555-0110" in html


# --- Times ----------------------------------------------------------------------------------------
def test_a_time_names_its_zone_and_has_utc_on_hover():
    html = render("{% when moment style='time' tz='America/Chicago' %}", moment=MOMENT)
    assert 'title="2026-11-24 20:00:05 UTC"' in html
    assert ">2:00 PM CST<" in html


def test_no_time_is_nothing():
    assert render("{% when moment %}{% since moment %}", moment=None) == ""


@pytest.mark.parametrize(
    ("seconds", "style", "expected"),
    [
        (59, "words", "0 min"),
        (60, "words", "1 minuto"),
        (252, "words", "4 min"),
        (252, "clock", "4:12"),
        (3_661, "clock", "1:01:01"),
    ],
)
def test_elapsed_time_in_words_or_as_a_clock(seconds, style, expected):
    assert moments.elapsed(seconds, style=style, one="{} minuto") == expected


def test_a_counter_carries_its_age_so_that_a_wrong_clock_does_no_harm(time_machine):
    time_machine.move_to(datetime(2026, 11, 24, 20, 4, 17, tzinfo=UTC), tick=False)
    assert 'data-age="252" data-style="clock"' in render("{% since moment style='clock' %}", moment=MOMENT)


# --- Forms ----------------------------------------------------------------------------------------
def test_hint_and_error_are_tied_to_the_control():
    html = render("{% field form.address %}", form=AddressForm({}))
    assert 'aria-describedby="id_address_helptext id_address_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_address_helptext"' in html
    assert 'id="id_address_error"' in html


def test_choices_are_a_group_with_a_legend():
    html = render("{% field form.environment %}", form=AddressForm())
    assert "<legend>Environment</legend>" in html
    assert '<label for="id_environment_0">Test</label>' in html


def test_the_error_summary_says_the_same_words_and_links_to_each_control():
    html = render("{% form_fields form %}", form=AddressForm({}))
    assert "There is a problem" in html
    for anchor, words in [("id_address", "FHIR base URL"), ("id_environment_0", "Environment")]:
        assert f'<a href="#{anchor}">Fill in “{words}”</a>' in html
        assert f'id="{anchor}"' in html
        assert html.count(f"Fill in “{words}”") == 2
    assert '<a href="#id_consent">Tick this box to go on</a>' in html


def test_an_error_of_the_whole_form_is_in_the_summary():
    form = AddressForm({"address": "https://a.example", "environment": "t", "consent": "on"})
    form.add_error(None, "The address has no FHIR version.")
    assert "<li>The address has no FHIR version.</li>" in render("{% error_summary form %}", form=form)


def test_a_form_without_errors_has_no_summary():
    assert render("{% error_summary form %}", form=AddressForm()) == ""


def test_the_form_renderer_draws_forms_with_the_components():
    class Drawn(AddressForm):
        default_renderer = PageFormRenderer

    html = str(Drawn({}))
    assert "There is a problem" in html
    assert 'class="field has-error"' in html


def test_the_title_says_that_there_is_an_error():
    page = '{% extends "core/layouts/plain.html" %}{% block title %}Keys{% endblock %}'
    assert "<title>Error: Keys \N{EN DASH} " in render(page, form=AddressForm({}))
    assert "<title>Keys \N{EN DASH} " in render(page, form=AddressForm())


# --- Layouts --------------------------------------------------------------------------------------
@pytest.mark.parametrize("layout", ["plain", "patient", "provider", "portal", "sandbox"])
def test_layouts_need_neither_user_nor_organization_nor_page(layout):
    html = Engine.get_default().get_template(f"core/layouts/{layout}.html").render(Context({}))
    assert '<main id="main"' in html
    assert 'href="#main"' in html


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', "system"), ("", "system")]
)
def test_the_look_comes_from_the_cookie(cookie, theme):
    request = a_request()
    request.COOKIES["theme"] = cookie
    html = render_to_string("core/layouts/plain.html", {"page": Page(request)})
    assert f'data-theme="{theme}"' in html
    assert f'media="{Page(request).dark_media}"' in html


def test_paper_is_never_dark():
    for theme in ("system", "dark"):
        request = a_request()
        request.COOKIES["theme"] = theme
        assert Page(request).dark_media.startswith("screen")


def test_a_person_with_one_organization_has_nothing_to_switch():
    one = SimpleNamespace(name="Lamna Healthcare", pk=1)
    two = SimpleNamespace(name="Northwind Clinics", pk=2)
    assert Page(a_request(organization=one, organizations=[one])).organizations == []
    assert Page(a_request(organization=one, organizations=[one, two])).organizations == [one, two]


def test_the_error_page_says_what_happened_what_to_do_and_the_reference():
    error = ErrorPage(
        title="Link opens later", happened="Opens at 1:40 PM.", todo="Come back then.", reference="K7M-2XQ9"
    )
    html = render_to_string("core/error.html", {"error": error})
    for words in ("Link opens later", "Opens at 1:40 PM.", "Come back then.", "K7M-2XQ9"):
        assert words in html


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_pages_for_failures_stand_without_a_request(status):
    assert "<h1>" in render_to_string(f"{status}.html")


@pytest.mark.parametrize("person", [None, a_person()])
def test_the_style_guide_is_closed_to_all_but_superusers(person):
    with pytest.raises(PermissionDenied):
        styleguide(a_request(user=person))


def test_the_style_guide_shows_every_component(rf):
    request = a_request("/styleguide", user=a_person(is_superuser=True))
    html = styleguide(request).content.decode()
    shown = {
        "tag-ok",
        "button-danger",
        "timeline-warn",
        "task-current",
        "empty-title",
        "copy-field",
        "error-summary",
        "band-test",
    }
    assert {name for name in shown if name not in html} == set()


def test_a_session_is_extended_by_post_only():
    assert extend_session(a_request(user=a_person())).status_code == 405


# --- Rules for templates, drawings and tokens -----------------------------------------------------
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(CORE)))
def test_templates_hold_nothing_the_content_security_policy_refuses(path):
    source = re.sub(r"{%.*?%}", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(CORE)))
def test_templates_ask_only_for_drawings_that_exist(path):
    source = path.read_text(encoding="utf-8")
    asked = re.findall(r"\bicon(?: |=)\"([a-z-]+)\"", source)
    assert set(asked) <= ICONS


@pytest.mark.parametrize("name", sorted(ICONS))
def test_drawings_are_plain_pictures(name):
    root = ET.parse(CORE / f"static/core/icons/{name}.svg").getroot()  # noqa: S314 - our own files
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "path", "circle", "rect", "defs", "linearGradient", "stop"}
    assert not any("style" in element.attrib for element in root.iter())


def _tokens(name: str) -> dict[str, str]:
    source = (CORE / f"static/core/css/{name}.css").read_text(encoding="utf-8")
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", source))


def test_every_token_that_is_used_is_defined():
    ours = [path for path in (CORE / "static/core/css").rglob("*.css") if path.name != "support-desk.css"]
    sheets = "".join(path.read_text(encoding="utf-8") for path in ours)  # the support desk has Django admin's tokens
    assert set(re.findall(r"var\((--[\w-]+)\)", sheets)) <= set(_tokens("tokens"))


def test_the_dark_look_only_replaces_tokens():
    assert set(_tokens("dark")) <= set(_tokens("tokens"))


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXT_PAIRS = [
    *[(text, ground) for text in ("text", "muted", "brand") for ground in ("bg", "surface")],
    *[
        ("muted", "surface-2"),
        ("on-brand", "brand"),
        ("on-brand", "brand-hover"),
        ("on-test", "test"),
        ("on-bad", "bad"),
    ],
    *[("ok", "ok-tint"), ("warn", "warn-tint"), ("bad", "bad-tint"), ("brand", "brand-tint")],
    *[("ok", "surface"), ("warn", "surface"), ("bad", "surface")],
]


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_has_the_contrast_of_wcag_aa(look, text, ground):
    tokens = _tokens("tokens") | (_tokens("dark") if look == "dark" else {})
    assert _contrast(tokens[f"--{text}"], tokens[f"--{ground}"]) >= 4.5
