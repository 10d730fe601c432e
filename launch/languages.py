"""In which language a page speaks."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from visits.models import PatientContact


def speak_to_patient(request: HttpRequest, contact: PatientContact | None) -> None:
    """Use the language the person chose in the page, else the one Epic has on file, else the browser's."""
    has_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    if has_chosen or contact is None or contact.language not in dict(settings.LANGUAGES):
        return
    _use(request, contact.language)


def speak_to_staff(request: HttpRequest) -> None:
    """Use English, the language of Epic and of everything else that clinicians see."""
    _use(request, "en")


def _use(request: HttpRequest, language: str) -> None:
    # The locale middleware sets the language anew for every request, so nothing must be put back.
    translation.activate(language)
    request.LANGUAGE_CODE = language
