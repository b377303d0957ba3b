"""The words of e-mails: by template and language, a subject and paragraphs.

Braces are filled in from the letter's values; a template says by them which values it needs.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """One template in one language."""

    subject: str
    text: str


TEMPLATES: Final[dict[str, dict[str, Words]]] = {
    "welcome": {
        "en": Words(
            "Welcome to {shop}!",
            "Welcome {name}!\n\nThank you for joining {shop}.",
        ),
        "fr": Words(
            "Bienvenue sur {shop} !",
            "Bienvenue {name} !\n\nMerci de rejoindre {shop}.",
        ),
    },
    "subscription-confirmed": {
        "en": Words(
            "{plan} subscription confirmed",
            "Subscription confirmed!\n\nYour {plan} subscription is active now.",
        ),
        "fr": Words(
            "Abonnement {plan} confirmé",
            "Abonnement confirmé !\n\nVotre abonnement {plan} est maintenant actif.",
        ),
    },
    "document-ready": {
        "en": Words(
            "Your document {document} is ready",
            "Your document {document} is ready.\n\nYou find it here: {link}",
        ),
        "fr": Words(
            "Votre document {document} est prêt",
            "Votre document {document} est prêt.\n\nVous le trouverez ici : {link}",
        ),
    },
    "stock-low": {
        "en": Words(
            "Low stock: {product} {size}",
            "{available} of {product} {size} are left to sell.\n\n"
            "You asked to be told at {threshold}.",
        ),
        "fr": Words(
            "Stock faible : {product} {size}",
            "Il reste {available} de {product} {size} à vendre.\n\n"
            "Vous avez demandé à le savoir à partir de {threshold}.",
        ),
    },
}
