"""Launches for support staff: read-only facts, found by reference."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from launch.models import ContextLink, LaunchAttempt
from visits.timeline_links import TimelineLinkMixin


class ContextLinkForm(forms.ModelForm[ContextLink]):
    """A form that takes a new key and never shows the old one."""

    new_key = forms.CharField(
        required=False, widget=forms.PasswordInput, help_text="As it is typed into Epic; empty keeps the key there is"
    )

    class Meta:
        model = ContextLink
        fields = ["endpoint", "is_enabled", "parameter", "key_form", "iv", "longest_age_seconds"]

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Store the key if one was typed."""
        if self.cleaned_data["new_key"] or self.instance._state.adding:
            self.instance.key = self.cleaned_data["new_key"]
        return super().save(commit=commit)


@admin.register(LaunchAttempt)
class LaunchAttemptAdmin(TimelineLinkMixin, ReadOnlyAdmin):
    """Who tried to open a visit, and how it went."""

    organization_path = "organization"
    list_display = ["reference", "audience", "state", "error_code", "organization", "created_at", "timeline"]
    list_filter = ["audience", "state"]
    search_fields = ["=reference", "=visit__reference", "=request_id"]
    fields = ["reference", "audience", "role", "state", "error_code", "organization", "endpoint", "visit", "request_id"]
    list_select_related = ["organization"]


@admin.register(ContextLink)
class ContextLinkAdmin(admin.ModelAdmin[ContextLink]):
    """Context-aware links of an endpoint; what is changed here acts after the next approval, the key at once."""

    list_display = ["endpoint", "is_enabled", "key_form", "iv", "longest_age_seconds"]
    list_select_related = ["endpoint"]
    form = ContextLinkForm

    def has_delete_permission(self, request: HttpRequest, obj: ContextLink | None = None) -> bool:
        """Refuse: links are switched off, and what was approved stays."""
        return False
