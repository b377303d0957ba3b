"""What stands around the guide's pages, in English and French."""

from typing import Final

from comptoir.web.languages import Texts

WORDS: Final[dict[str, Texts]] = {
    "heading": ("The guide to Comptoir", "Le guide de Comptoir"),
    "pages": ("Pages", "Pages"),
    "other": ("Elsewhere on this server", "Ailleurs sur ce serveur"),
    "routes": ("API", "API"),
    "problems": ("Errors", "Erreurs"),
    "turn": ("Before and after", "Avant et après"),
    "before": ("Before", "Précédent"),
    "after": ("Next", "Suivant"),
    "english": (
        "Routes, errors and settings are described in French too.",
        (
            "Les guides sont en anglais. Les routes, les erreurs et les réglages sont décrits en "
            "français."
        ),
    ),
    "settings.intro": (
        (
            "Comptoir reads its settings once, from the environment and from the .env files of the "
            "working folder; a real variable wins over all files, and an empty one counts as "
            "unset. Judge what is set with"
        ),
        (
            "Comptoir lit ses réglages une seule fois, dans l'environnement et dans les fichiers "
            ".env du dossier de travail ; une vraie variable l'emporte sur les fichiers, et une "
            "variable vide compte comme absente. Faites juger ce qui est réglé par"
        ),
    ),
    "default": ("Default", "Par défaut"),
    "example": ("Example", "Exemple"),
    "form": ("Form", "Forme"),
    "least": ("At least", "Au moins"),
    "most": ("At most", "Au plus"),
    "unset": ("unset", "absente"),
    "empty": ("empty", "vide"),
    "secret": ("A secret: it is shown nowhere.", "Un secret : il n'est montré nulle part."),
}

CAPTIONS: Final[dict[str, Texts]] = {
    "Begin": ("Begin", "Commencer"),
    "Guides": ("Guides", "Guides"),
    "Concepts": ("Concepts", "Notions"),
    "Operating": ("Operating", "Exploitation"),
    "Comparisons": ("Comparisons", "Comparaisons"),
    "Reference": ("Reference", "Référence"),
    "Why it is as it is": ("Why it is as it is", "Pourquoi c'est ainsi"),
}

TITLES: Final[dict[str, Texts]] = {
    "reference/routes": ("Routes", "Routes"),
    "reference/errors": ("Errors", "Erreurs"),
    "reference/settings": ("Settings", "Réglages"),
}
"""Of the pages that a server makes of itself."""
