"""What is said about how a program was started: its sockets and its `.env` files."""

from typing import Final

from comptoir.web.languages import Texts

SERVING: Final[dict[str, Texts]] = {
    "error.env-file-unreadable": (
        (
            "The settings file {file} cannot be read ({reason}). Correct its rights, or move what "
            "is there out of the way."
        ),
        (
            "Le fichier de réglages {file} ne peut être lu ({reason}). Corrigez ses droits ou "
            "déplacez ce qui s'y trouve."
        ),
    ),
    "error.env-file-encoding": (
        "The settings file {file} is not text in UTF-8. Save it as UTF-8.",
        "Le fichier de réglages {file} n'est pas du texte en UTF-8. Enregistrez-le en UTF-8.",
    ),
    "error.listener-unfit": (
        (
            "This process was started with {count} sockets; serve needs one, which listens on a "
            "TCP address. Correct the .socket unit, or start it without one."
        ),
        (
            "Ce processus a reçu {count} sockets à son démarrage ; serve en attend une seule, à "
            "l'écoute d'une adresse TCP. Corrigez l'unité .socket ou démarrez sans elle."
        ),
    ),
}
