"""An organization's own words, with a preview that counts while they are typed."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from sms.forms.words import LanguageForm, WordsForm
from sms.linting import MOST_CHARACTERS
from sms.presenters.previews import PreviewCard
from sms.services import previews, templates
from sms.views.shared import EDITORS, READERS, can_edit, crumbs
from sms.wording import PLACEHOLDERS


@portal_page(*EDITORS)
@require_POST
def add_language(request: PortalRequest) -> HttpResponse:
    """Go to the empty words of another language; nothing is stored until they are."""
    form = LanguageForm(request.POST, organization=request.organization)
    if not form.is_valid():
        return redirect("sms_setup:overview")
    return redirect("sms_setup:words", form.cleaned_data["language"])


@portal_page(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: PortalRequest, language: str) -> HttpResponse:
    """Show and store the four texts in one language."""
    _check(language)
    data = request.POST if request.method == "POST" and can_edit(request) else None
    now, organization = timezone.now(), request.organization
    stored = templates.words_in(organization, language)
    form = WordsForm(data, initial=stored, organization=organization, language=language, now=now)
    if data is not None and form.is_valid():
        if templates.save_words(organization, language, form.cleaned_data, actor=request.user.username):
            messages.success(request, "Saved. New words are sent once the configuration is approved.")
        return redirect("sms_setup:overview")
    shown = {kind: str(form[kind].value() or "") for kind in templates.KINDS}
    context: dict[str, Any] = {
        "form": form,
        "rows": [(form[kind], _card(request, language, kind, body)) for kind, body in shown.items()],
        "language": templates.language_name(language),
        "title": f"Texts in {templates.language_name(language)}",
        "lead": "One text for each occasion, at most two segments. They are drafts until they are approved.",
        "code": language,
        "is_built_in": language in templates.BUILT_IN,
        "placeholders": [(f"{{{name}}}", meaning) for name, meaning in PLACEHOLDERS.items()],
        "can_edit": can_edit(request),
        "crumbs": crumbs(),
    }
    return render(request, "sms/words.html", context)


@portal_page(*READERS)
@require_POST
def preview(request: PortalRequest, language: str, kind: str) -> HttpResponse:
    """Return the finished text for words that are being typed; nothing is stored."""
    _check(language)
    if kind not in templates.KINDS:
        raise Http404
    body = request.POST.get(kind, "")[: MOST_CHARACTERS + 1]
    return render(request, "sms/_preview.html", {"preview": _card(request, language, kind, body), "code": language})


def _card(request: PortalRequest, language: str, kind: str, body: str) -> PreviewCard:
    found = previews.preview(
        request.organization,
        kind=kind,
        language=language,
        templates={language: {kind: body}} if body.strip() else {},
        now=timezone.now(),
    )
    is_english = not body.strip() and language not in templates.BUILT_IN
    return PreviewCard(found, title="Not written: patients read English" if is_english else "As patients read it")


def _check(language: str) -> None:
    if not templates.is_known_language(language):
        raise Http404
