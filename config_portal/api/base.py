"""What every view of the REST API starts from, also those of other apps below ``/api/v1/``.

An app brings its own addresses and scopes its views by the names in
:class:`config_portal.models.api_token.Scope`; the portal need not know the app.
"""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from config_portal import snapshot
from config_portal.api.authentication import HasScope, TokenAuthentication, organization_of
from config_portal.models import FhirEndpoint
from core.access import access

CREATED, ACCEPTED = 201, 202


class ApiView(APIView):
    """Base of every view: tokens only, a scope for each method."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (HasScope,)
    scopes: ClassVar[dict[str, str]] = {}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, marked for the table of addresses."""
        return access("token")(super().as_view(**initkwargs))

    def endpoint(self, request: Request, endpoint_id: UUID) -> FhirEndpoint:
        """Return one endpoint of the token's organization; any other is not found."""
        own = snapshot.with_parts(FhirEndpoint.objects.for_organization(organization_of(request)))
        return get_object_or_404(own, pk=endpoint_id)


class StrictSerializer(serializers.Serializer[Any]):
    """What a call takes. Unknown names are refused, so that a misspelt one is not taken for done."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse names that mean nothing here, such as ``organization`` or ``approved_version``."""
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = sorted(set(self.initial_data) - known)
        if unknown:
            raise ValidationError({name: ["There is no such field, or it cannot be set."] for name in unknown})
        return attrs

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Return what the body of ``request`` says.

        :raises ValidationError: naming the fields that cannot be taken.
        """
        given = cls(data=request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


def checked(form: forms.BaseForm) -> dict[str, Any]:
    """Return what a form of the portal makes of the values it was given.

    :raises ValidationError: naming the fields, in the words of the form.
    """
    if not form.is_valid():
        raise ValidationError({name: [str(text) for text in errors] for name, errors in form.errors.items()})
    return dict(form.cleaned_data)
