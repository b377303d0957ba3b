"""The texts of the pages, in English and French."""

from typing import Final

Texts = tuple[str, str]

TEXTS: Final[dict[str, Texts]] = {
    "title": ("Sandbox checkout", "Caisse d'essai"),
    "banner": (
        "This is a sandbox: no money moves, and no real card works.",
        "Ceci est un bac à sable : aucun argent ne bouge, aucune vraie carte ne marche.",
    ),
    "total": ("Total", "Total"),
    "tax": ("of which tax", "dont taxes"),
    "email": ("E-mail", "Courriel"),
    "with": ("Pay with", "Payer avec"),
    "pay": ("Pay", "Payer"),
    "subscribe": ("Subscribe", "S'abonner"),
    "back": ("Go back without paying", "Revenir sans payer"),
    "works": ("A card that works", "Une carte qui marche"),
    "declines": ("A card that is declined", "Une carte refusée"),
    "empty": ("A card without funds", "Une carte sans provision"),
    "asks": ("A card that asks you first", "Une carte qui demande votre accord"),
    "disputes": ("A card whose owner complains", "Une carte dont le titulaire conteste"),
    "debit": ("A bank debit that comes later", "Un prélèvement qui arrive plus tard"),
    "no-debit": ("A bank debit that fails later", "Un prélèvement qui échoue plus tard"),
    "expired": (
        "This page has expired. Nothing was paid.",
        "Cette page a expiré. Rien n'a été payé.",
    ),
    "done": ("This is paid.", "C'est payé."),
    "goes-on": ("Go on", "Continuer"),
    "question": ("Do you agree to this payment?", "Acceptez-vous ce paiement ?"),
    "agree": ("Yes, I agree", "Oui, j'accepte"),
    "refuse": ("No", "Non"),
    "portal": ("Your subscriptions", "Vos abonnements"),
    "no-subscriptions": ("There is no subscription.", "Il n'y a pas d'abonnement."),
    "ends": ("Ends with its period", "S'arrête à la fin de la période"),
    "cancel": ("End it with its period", "L'arrêter à la fin de la période"),
    "keep": ("Keep it after all", "Le garder finalement"),
    "change": ("Change to", "Passer à"),
    "return": ("Go back", "Revenir"),
    "invoice": ("Invoice", "Facture"),
    "status": ("Status", "État"),
    "declined": ("That did not work:", "Cela n'a pas marché :"),
}


def say(key: str, locale: str) -> str:
    """A text in French or English."""
    return TEXTS[key][locale == "fr"]
