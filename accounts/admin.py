"""Staff users for the operator: facts from Entra to read, and one switch."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Role, User

if TYPE_CHECKING:
    UserModelAdmin = admin.ModelAdmin[User]
else:
    UserModelAdmin = admin.ModelAdmin  # takes no parameter when it runs


@admin.register(User)
class UserAdmin(UserModelAdmin):
    """Who signs in, with which roles. Accounts come from Entra; only ``is_active`` is decided here."""

    list_display = ["username", "role_names", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["username", "entra_object_id"]
    ordering = ["username"]
    readonly_fields = [
        "username",
        "role_names",
        "entra_tenant_id",
        "entra_object_id",
        "is_superuser",
        "date_joined",
        "last_login",
    ]
    fields = [*readonly_fields, "is_active"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: accounts are made by signing in."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False: the audit trail names users; switch them off instead."""
        return False

    @admin.display(description="Roles at the last sign-in")
    def role_names(self, user: User) -> str:
        """Return the roles in words."""
        return ", ".join(str(Role(role).label) for role in user.roles) or "none"
