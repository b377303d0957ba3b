"""What is refused about money that comes in and goes back: part of the catalogue."""

from typing import Final

from comptoir.web.languages import Texts

_PROVIDER: Final[Texts] = ("Stripe unavailable", "Stripe indisponible")
_REPEAT: Final[Texts] = (
    "Stripe cannot be reached at the moment; repeat with the same key.",
    "Stripe est injoignable pour le moment ; répétez avec la même clé.",
)

PAYMENTS: Final[dict[str, tuple[int, Texts, Texts]]] = {
    "bad-signature": (
        400,
        ("Signature not valid", "Signature invalide"),
        (
            "The signature of this webhook is {fault}; nothing was kept.",
            "La signature de ce webhook est refusée ({fault}) ; rien n'a été gardé.",
        ),
    ),
    "event-too-large": (
        413,
        ("Event too large", "Événement trop volumineux"),
        (
            "An event may have at most 1048576 bytes.",
            "Un événement peut avoir au plus 1048576 octets.",
        ),
    ),
    "unknown-pack": (
        404,
        ("Unknown pack", "Pack inconnu"),
        ("There is no pack {pack} for sale.", "Le pack {pack} n'est pas en vente."),
    ),
    "purchase-not-found": (
        404,
        ("Purchase not found", "Achat introuvable"),
        ("There is no such purchase.", "Cet achat n'existe pas."),
    ),
    "payment-not-found": (
        404,
        ("Payment not found", "Paiement introuvable"),
        ("There is no such payment.", "Ce paiement n'existe pas."),
    ),
    "case-not-found": (
        404,
        ("Case not found", "Dossier introuvable"),
        ("There is no such case.", "Ce dossier n'existe pas."),
    ),
    "event-not-found": (
        404,
        ("Event not found", "Événement introuvable"),
        (
            "There is no such event, or its body was forgotten after 90 days.",
            "Cet événement n'existe pas, ou son contenu a été oublié après 90 jours.",
        ),
    ),
    "hook-not-found": (
        404,
        ("Webhook not found", "Webhook introuvable"),
        ("There is no such outgoing webhook.", "Ce webhook sortant n'existe pas."),
    ),
    "too-many-hooks": (
        409,
        ("Too many webhooks", "Trop de webhooks"),
        (
            "A book may have {most} outgoing webhooks at most.",
            "Un livre peut avoir au plus {most} webhooks sortants.",
        ),
    ),
    "no-top-up": (
        404,
        ("No top-up", "Pas de recharge"),
        (
            "Nobody has said how this customer buys again by himself.",
            "Aucune recharge automatique n'est réglée pour ce client.",
        ),
    ),
    "nothing-subscribed": (
        404,
        ("Nothing subscribed", "Aucun abonnement"),
        (
            "This customer has never subscribed to a plan.",
            "Ce client n'a jamais souscrit d'abonnement.",
        ),
    ),
    "plan-not-for-sale": (
        404,
        ("Plan not for sale", "Plan non vendu"),
        (
            "The plan {plan} has no price for each {interval} at Stripe: comptoir pack push.",
            "Le plan {plan} n'a pas de tarif « {interval} » chez Stripe : comptoir pack push.",
        ),
    ),
    "already-subscribed": (
        409,
        ("Already subscribed", "Déjà abonné"),
        (
            "This customer has a plan already; he changes it in the portal.",
            "Ce client a déjà un abonnement ; il le modifie dans son espace.",
        ),
    ),
    "already-paid": (
        409,
        ("Already paid", "Déjà payé"),
        (
            "What {reference} names is paid already.",
            "Ce que désigne {reference} est déjà payé.",
        ),
    ),
    "amount-differs": (
        409,
        ("Another amount", "Montant différent"),
        (
            "{reference} is being collected for {amount} {currency} already.",
            "{reference} est déjà en cours d'encaissement pour {amount} {currency}.",
        ),
    ),
    "payment-not-paid": (
        409,
        ("Not paid", "Non payé"),
        (
            "The payment is {state}: there is nothing to refund.",
            "Le paiement est à l'état {state} : il n'y a rien à rembourser.",
        ),
    ),
    "already-refunded": (
        409,
        ("Already refunded", "Déjà remboursé"),
        ("All of it went back already.", "Tout a déjà été remboursé."),
    ),
    "provider-refused": (
        409,
        ("Refused by Stripe", "Refusé par Stripe"),
        (
            "Stripe would not have it ({provider_code}).",
            "Stripe a refusé la demande ({provider_code}).",
        ),
    ),
    "catalogue-unreadable": (
        422,
        ("Catalogue not readable", "Catalogue illisible"),
        ("{file}: {reason}", "{file} : {reason}"),
    ),
    "catalogue-older": (
        409,
        ("Older catalogue", "Catalogue dépassé"),
        (
            "A newer catalogue than version {version} was seeded before; raise its version.",
            "Un catalogue plus récent que la version {version} est en place ; augmentez-la.",
        ),
    ),
}

FIELDS: Final[dict[str, Texts]] = {
    "event-unreadable": ("is no event of Stripe's", "n'est pas un événement de Stripe"),
    "refund-exceeds-payment": (
        "is more than the {left} that are left of the payment",
        "dépasse les {left} qui restent du paiement",
    ),
    "url-invalid": (
        "must be a web address that others cannot listen in on (https)",
        "doit être une adresse web que nul ne peut écouter (https)",
    ),
}

PROVIDER: Final[dict[str, tuple[int, Texts, Texts]]] = {
    "payments-not-configured": (
        503,
        ("Payments not configured", "Paiements non configurés"),
        (
            "Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET to take money.",
            "Définissez STRIPE_SECRET_KEY et STRIPE_WEBHOOK_SECRET pour encaisser.",
        ),
    ),
    "provider-down": (503, _PROVIDER, _REPEAT),
    "provider-busy": (503, _PROVIDER, _REPEAT),
    "provider-key-refused": (
        503,
        ("Stripe does not know our key", "Stripe ne reconnaît pas notre clé"),
        (
            "Stripe refuses STRIPE_SECRET_KEY, or it may not do this.",
            "Stripe refuse STRIPE_SECRET_KEY, ou cette clé n'a pas ce droit.",
        ),
    ),
    "not-yet-expired": (
        503,
        ("Too early", "Trop tôt"),
        ("It has not expired yet.", "Ce n'est pas encore expiré."),
    ),
}
