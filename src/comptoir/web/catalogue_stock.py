"""What is refused about stock and orders: part of the catalogue."""

from typing import Final

from comptoir.web.languages import Texts

_NOT_FOUND: Final[Texts] = ("Not found", "Introuvable")

STOCK: Final[dict[str, tuple[int, Texts, Texts]]] = {
    "insufficient-stock": (
        400,
        ("Not enough stock", "Stock insuffisant"),
        (
            "{available} available: fewer than were asked for.",
            "{available} disponibles : moins que demandé.",
        ),
    ),
    "unknown-product": (
        404,
        ("Unknown product", "Produit inconnu"),
        ("There is no product {product}.", "Le produit {product} n'existe pas."),
    ),
    "unknown-size": (
        404,
        ("Unknown size", "Taille inconnue"),
        (
            "The product {product} has no size {size}.",
            "Le produit {product} n'existe pas en taille {size}.",
        ),
    ),
    "movement-refused": (
        409,
        ("Movement refused", "Mouvement refusé"),
        (
            "The ledger would not have this movement ({outcome}).",
            "Le grand livre a refusé ce mouvement ({outcome}).",
        ),
    ),
    "reservation-not-found": (
        404,
        _NOT_FOUND,
        ("There is no such reservation.", "Cette réservation n'existe pas."),
    ),
    "reservation-refused": (
        409,
        ("Reservation refused", "Réservation refusée"),
        (
            "The ledger would not set this aside ({outcome}).",
            "Le grand livre a refusé cette réservation ({outcome}).",
        ),
    ),
    "reservation-committed": (
        409,
        ("Already sold", "Déjà vendu"),
        (
            "What was set aside is sold already, under the number {order_number}.",
            "Ce qui était réservé est déjà vendu, sous le numéro {order_number}.",
        ),
    ),
    "order-not-found": (
        404,
        _NOT_FOUND,
        ("There is no such order.", "Cette commande n'existe pas."),
    ),
    "order-closed": (
        409,
        ("Order closed", "Commande close"),
        (
            "This order was closed while it was being made; order again with a new key.",
            "Cette commande a été close entre-temps ; recommencez avec une nouvelle clé.",
        ),
    ),
    "order-paid": (
        409,
        ("Order paid", "Commande payée"),
        (
            "The order is paid, as {order_number}: goods are returned, not cancelled.",
            "La commande est payée ({order_number}) : elle se retourne, sans s'annuler.",
        ),
    ),
    "order-processing": (
        409,
        ("Payment on its way", "Paiement en cours"),
        (
            "A bank is paying this order just now; cancel it when that has failed.",
            "Une banque règle cette commande en ce moment ; annulez si elle échoue.",
        ),
    ),
    "order-not-paid": (
        409,
        ("Order not paid", "Commande non payée"),
        (
            "The order is {state}: it can neither be sent nor returned.",
            "La commande est à l'état {state} : ni envoi ni retour possible.",
        ),
    ),
    "refund-exceeds-left": (
        409,
        ("Less is left", "Montant restant insuffisant"),
        (
            "The goods cost {wanted}, and {left} are left of the payment, in minor units.",
            "Les articles coûtent {wanted}, et il reste {left} du paiement, en centimes.",
        ),
    ),
}

FIELDS: Final[dict[str, Texts]] = {
    "currencies-differ": (
        "are sold in several currencies: order each apart",
        "se vendent en plusieurs devises : commandez chacune à part",
    ),
    "movement-type-invalid": (
        "must be restock, return or adjustment",
        "doit être restock, return ou adjustment",
    ),
    "quantity-invalid": (
        "must not be 0, and below 0 for an adjustment alone",
        "ne doit pas être 0, ni négatif hors ajustement",
    ),
    "quantity-too-large": (
        "may be {most} of one size at most",
        "ne peut dépasser {most} d'une même taille",
    ),
    "return-exceeds-order": (
        "is more than the {left} that are left of it in the order",
        "dépasse les {left} qui en restent dans la commande",
    ),
    "size-repeated": ("name a size twice", "nomment deux fois la même taille"),
}
