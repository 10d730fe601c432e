"""From the many ways senders name a language to two letters (ISO 639-1)."""

_NAMES = {
    "en": "ENG ENGLISH", "es": "SPA ESP SPANISH ESPANOL ESPAÑOL CASTILIAN", "ar": "ARA ARABIC",
    "bn": "BEN BENGALI", "bs": "BOS BOSNIAN", "cs": "CES CZE CZECH", "da": "DAN DANISH",
    "de": "DEU GER GERMAN", "el": "ELL GRE GREEK", "fa": "FAS PER FARSI PERSIAN", "fi": "FIN FINNISH",
    "fr": "FRA FRE FRENCH", "gu": "GUJ GUJARATI", "he": "HEB HEBREW", "hi": "HIN HINDI",
    "hmn": "HMONG", "hr": "HRV SCR CROATIAN", "ht": "HAT HAITIAN CREOLE", "hu": "HUN HUNGARIAN",
    "hy": "HYE ARM ARMENIAN", "is": "ISL ICE ICELANDIC", "it": "ITA ITALIAN", "ja": "JPN JAPANESE",
    "km": "KHM KHMER CAMBODIAN", "ko": "KOR KOREAN", "lo": "LAO", "ne": "NEP NEPALI",
    "nl": "NLD DUT DUTCH", "no": "NOR NORWEGIAN", "pa": "PAN PUNJABI", "pl": "POL POLISH",
    "ps": "PUS PASHTO", "pt": "POR PORTUGUESE", "ro": "RON RUM ROMANIAN", "ru": "RUS RUSSIAN",
    "so": "SOM SOMALI", "sq": "SQI ALB ALBANIAN", "sr": "SRP SERBIAN", "sv": "SWE SWEDISH",
    "sw": "SWA SWAHILI", "ta": "TAM TAMIL", "te": "TEL TELUGU", "th": "THA THAI", "tl": "TGL FIL TAGALOG FILIPINO",
    "tr": "TUR TURKISH", "uk": "UKR UKRAINIAN", "ur": "URD URDU", "vi": "VIE VIETNAMESE",
    "zh": "ZHO CHI CHINESE MANDARIN CANTONESE CMN YUE",
}  # fmt: skip

_CODES = {name: code for code, names in _NAMES.items() for name in [code.upper(), *names.split()]}


def language_code(text: str) -> str | None:
    """Return the code of the language that ``text`` names, such as ``ENG``, ``es-MX`` or ``Spanish``."""
    name = text.strip().upper()
    for separator in "-_ ,;":
        name = name.partition(separator)[0]
    return _CODES.get(name)
