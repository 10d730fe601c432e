"""Adapters to SMS suppliers: one file each, no database (see ``docs/adding-an-sms-provider.md``)."""
