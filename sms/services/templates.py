"""An organization's own words: kept as drafts, sent once an approval covers them."""

from collections import defaultdict
from collections.abc import Mapping

from django.conf.locale import LANG_INFO
from django.db import transaction

from config_portal.models import Organization
from core import audit
from sms.models import SmsTemplate
from sms.wording import DEFAULTS

BUILT_IN = tuple(DEFAULTS)
KINDS = tuple(DEFAULTS["en"])


def language_name(code: str) -> str:
    """Return what a language is called in English, and in itself where that differs: ``Spanish (español)``."""
    info = LANG_INFO.get(code) or LANG_INFO.get({"zh": "zh-hans", "no": "nb"}.get(code, ""))
    if info is None or "name" not in info:
        return code
    own = info["name_local"]
    return info["name"] if own.casefold() == info["name"].casefold() else f"{info['name']} ({own})"


def is_known_language(code: str) -> bool:
    """Return whether texts can be written in this language: days and months are known in it."""
    return code in LANG_INFO and "-" not in code


def addable_languages(organization: Organization) -> list[tuple[str, str]]:
    """Return code and name of languages that the organization has no words in yet, by name."""
    have = set(languages_of(organization))
    codes = [code for code in LANG_INFO if "-" not in code and code not in have and "name" in LANG_INFO[code]]
    return sorted(((code, language_name(code)) for code in codes), key=lambda pair: pair[1])


def languages_of(organization: Organization) -> list[str]:
    """Return the languages in which texts can go out: English and Spanish first, then the organization's own."""
    own = SmsTemplate.objects.for_organization(organization).exclude(language__in=BUILT_IN)
    return [*BUILT_IN, *sorted(set(own.values_list("language", flat=True)))]


def own_words(organization: Organization) -> dict[str, dict[str, str]]:
    """Return language → kind → the organization's own words, without what it left as ours."""
    words: dict[str, dict[str, str]] = defaultdict(dict)
    for template in organization.sms_templates.all():
        words[template.language][template.kind] = template.body
    return dict(words)


def words_in(organization: Organization, language: str) -> dict[str, str]:
    """Return kind → words in ``language`` as they stand: own ones, ours, or '' where there are none yet."""
    own = own_words(organization).get(language, {})
    return {kind: own.get(kind) or DEFAULTS.get(language, {}).get(kind, "") for kind in KINDS}


@transaction.atomic
def save_words(organization: Organization, language: str, words: Mapping[str, str], *, actor: str) -> int:
    """Store words in ``language``; those left empty or equal to ours are ours again. Return how many changed."""
    before = own_words(organization).get(language, {})
    after = {kind: body for kind, body in words.items() if body and body != DEFAULTS.get(language, {}).get(kind)}
    for kind, body in after.items():
        SmsTemplate.objects.update_or_create(
            organization=organization, language=language, kind=kind, defaults={"body": body, "changed_by": actor}
        )
    gone = SmsTemplate.objects.for_organization(organization).filter(language=language).exclude(kind__in=after)
    gone.delete()
    changed = sorted(kind for kind in {*before, *after} if before.get(kind) != after.get(kind))
    if changed:
        audit.record(
            "sms.words_changed",
            organization_id=organization.pk,
            actor=actor,
            language=language,
            kinds=changed,
            before={kind: before.get(kind, "") for kind in changed},
            after={kind: after.get(kind, "") for kind in changed},
        )
    return len(changed)
