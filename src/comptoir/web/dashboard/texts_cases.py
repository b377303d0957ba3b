"""What the figures of a case are called."""

from typing import Final

from comptoir.web.languages import Texts

CASES: Final[dict[str, Texts]] = {
    "fact.payment": ("Payment", "Paiement"),
    "fact.dispute": ("Dispute", "Litige"),
    "fact.status": ("State", "État"),
    "fact.amount": ("Amount", "Montant"),
    "fact.currency": ("Currency", "Devise"),
    "fact.asked": ("Asked for", "Demandé"),
    "fact.currency_asked": ("Currency asked for", "Devise demandée"),
    "fact.came": ("Received", "Reçu"),
    "fact.currency_came": ("Currency received", "Devise reçue"),
    "fact.outcome": ("The ledger said", "Le grand livre a dit"),
    "fact.reason": ("Reason", "Motif"),
    "fact.event": ("Event", "Événement"),
    "fact.type": ("Type", "Type"),
    "fact.object": ("Object", "Objet"),
    "fact.error": ("Error", "Erreur"),
    "fact.price": ("Price", "Prix"),
    "fact.subscription": ("Subscription", "Abonnement"),
    "fact.invoice": ("Invoice", "Facture"),
    "fact.pack": ("Pack", "Pack"),
    "fact.intent": ("Payment at Stripe", "Paiement chez Stripe"),
    "fact.livemode": ("Real money", "Argent réel"),
    "fact.order": ("Order", "Commande"),
    "fact.number": ("Number", "Numéro"),
    "fact.yes": ("yes", "oui"),
    "fact.no": ("no", "non"),
}
