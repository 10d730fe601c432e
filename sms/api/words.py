"""An organization's own words for its texts."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import ApiView, StrictSerializer, checked
from config_portal.models import Organization
from config_portal.models.api_token import Scope
from sms.forms.words import WordsForm
from sms.linting import MOST_CHARACTERS
from sms.services import templates


class WordsSerializer(StrictSerializer):
    """The four texts in one language, with their placeholders; an empty one is ours, or English."""

    scheduled = serializers.CharField(max_length=MOST_CHARACTERS, required=False, allow_blank=True)
    moved = serializers.CharField(max_length=MOST_CHARACTERS, required=False, allow_blank=True)
    cancelled = serializers.CharField(max_length=MOST_CHARACTERS, required=False, allow_blank=True)
    reminder = serializers.CharField(max_length=MOST_CHARACTERS, required=False, allow_blank=True)


class LanguageSerializer(serializers.Serializer[Any]):
    """A language in which texts can go out."""

    language = serializers.CharField(help_text="ISO 639-1")
    name = serializers.CharField()
    words = WordsSerializer()


class LanguageListView(ApiView):
    """Languages."""

    scopes = {"GET": Scope.SMS_READ}

    @extend_schema(responses=LanguageSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return every language in which texts can go out, with the words as they stand."""
        organization = organization_of(request)
        return Response([_shown(organization, language) for language in templates.languages_of(organization)])


class LanguageView(ApiView):
    """The words in one language."""

    scopes = {"GET": Scope.SMS_READ, "PATCH": Scope.SMS_WRITE}

    @extend_schema(responses=LanguageSerializer)
    def get(self, request: Request, language: str) -> Response:
        """Return them as they stand."""
        return Response(_shown(organization_of(request), _known(language)))

    @extend_schema(request=WordsSerializer, responses=LanguageSerializer)
    def patch(self, request: Request, language: str) -> Response:
        """Change them; new words are sent once the configuration is approved. What is not named stays."""
        organization = organization_of(request)
        words = templates.words_in(organization, _known(language)) | WordsSerializer.read(request)
        form = WordsForm(words, organization=organization, language=language, now=timezone.now())
        templates.save_words(organization, language, checked(form), actor=actor_of(request))
        return Response(_shown(organization, language))


def _known(language: str) -> str:
    if not templates.is_known_language(language):
        raise Http404
    return language


def _shown(organization: Organization, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "name": templates.language_name(language),
        "words": templates.words_in(organization, language),
    }
