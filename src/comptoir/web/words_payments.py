"""What events have done, what was found wrong, and what needs a human: in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comptoir.web.languages import Texts, pick

_EFFECTS: Final[dict[str, Texts]] = {
    "known": ("nothing new", "rien de nouveau"),
    "paid": ("{money} came in", "{money} encaissés"),
    "granted": ("credits were granted ({movement})", "crédits accordés ({movement})"),
    "noted": ("the payment is {status} now", "le paiement est maintenant {status}"),
    "refund": (
        "refund {refund} of {money}: {status}",
        "remboursement {refund} de {money} : {status}",
    ),
    "dispute": ("dispute {dispute}: {status}", "litige {dispute} : {status}"),
    "taken-back": ("credits were taken back for {cause}", "crédits repris pour {cause}"),
    "given-back": ("credits were given back for {cause}", "crédits rendus pour {cause}"),
    "subscription": (
        "subscription {subscription}: {status}",
        "abonnement {subscription} : {status}",
    ),
    "plan": (
        "the plan is {now} now, after {before}",
        "le plan est maintenant {now}, après {before}",
    ),
    "invoice": ("invoice {invoice} of {money} is paid", "facture {invoice} de {money} payée"),
    "unpaid": (
        "invoice {invoice} could not be collected (attempt {attempt}); others are told",
        "facture {invoice} non encaissée (tentative {attempt}) ; les autres sont prévenus",
    ),
    "allowed": ("the allowance of {invoice} was granted", "allocation de {invoice} accordée"),
    "not-allowed": (
        "the allowance of {invoice} was not granted ({outcome})",
        "allocation de {invoice} non accordée ({outcome})",
    ),
    "sold": (
        "the order {order} is sold as {number}: {units} units",
        "commande {order} vendue sous {number} : {units} unités",
    ),
    "released": (
        "what was set aside for the order {order} is for sale again",
        "ce qui était réservé pour la commande {order} est remis en vente",
    ),
    "extended": (
        "a bank is paying the order {order}: its goods wait",
        "une banque règle la commande {order} : ses articles attendent",
    ),
    "kept": (
        "a payment of the order {order} has failed: its goods wait for another one",
        "un paiement de la commande {order} a échoué : ses articles en attendent un autre",
    ),
    "restocked": (
        "{units} units of the order {order} are for sale again",
        "{units} unités de la commande {order} remises en vente",
    ),
    "sent-back": (
        "{money} go back by themselves for the payment {payment}",
        "{money} remboursés d'office pour le paiement {payment}",
    ),
    "order": (
        "the order {order} is {status} now",
        "la commande {order} est maintenant à l'état {status}",
    ),
    "case": ("a case was opened: {kind}", "un dossier a été ouvert : {kind}"),
    "coalesced": ("handled together with {with}", "traité avec {with}"),
}

_FINDINGS: Final[dict[str, Texts]] = {
    "event-lost": (
        "The event {event} ({type}) never came; it was fetched.",
        "L'événement {event} ({type}) n'est jamais arrivé ; il a été récupéré.",
    ),
    "answer-lost": (
        "Stripe's answer about the payment {payment} was lost; what it had made was found.",
        "La réponse de Stripe au paiement {payment} s'était perdue ; l'objet a été retrouvé.",
    ),
    "refund-never-begun": (
        "The refund {refund} never reached Stripe; it was given up.",
        "Le remboursement {refund} n'a jamais atteint Stripe ; il a été abandonné.",
    ),
    "payment-lost": (
        "Stripe has received {object}, and we did not know.",
        "Stripe a encaissé {object}, et nous l'ignorions.",
    ),
    "invoice-lost": (
        "The invoice {object} is paid, and we did not know.",
        "La facture {object} est payée, et nous l'ignorions.",
    ),
    "allowance-missing": (
        "The invoice {object} is paid, and what its plan gives for it is missing.",
        "La facture {object} est payée, et ce que son abonnement donne pour elle manque.",
    ),
    "refund-lost": (
        "The refund {object} is not what we knew of it.",
        "Le remboursement {object} n'est pas ce que nous en savions.",
    ),
    "dispute-lost": (
        "The dispute {object} is not what we knew of it.",
        "Le litige {object} n'est pas ce que nous en savions.",
    ),
    "grant-missing": (
        "The payment {payment} was received, and its credits (pack {pack}) are missing.",
        "Le paiement {payment} a été reçu, et ses crédits (pack {pack}) manquent.",
    ),
    "grant-doubled": (
        "The credits of the payment {payment} (pack {pack}) are there twice ({movement}).",
        "Les crédits du paiement {payment} (pack {pack}) existent deux fois ({movement}).",
    ),
    "grant-untied": (
        "The payment {payment} has forgotten which credits (pack {pack}) it has brought.",
        "Le paiement {payment} a oublié quels crédits (pack {pack}) il a apportés.",
    ),
    "taking-wrong": (
        "What was taken back for the payment {payment} is not what its refunds ask for.",
        "Ce qui a été repris pour le paiement {payment} ne suit pas ses remboursements.",
    ),
}
_MISSED: Final[Texts] = ("{object} was missed: {effect}.", "{object} avait été manqué : {effect}.")
_MENDED: Final[Texts] = (" It is mended.", " C'est réparé.")
_OPEN: Final[Texts] = (" Mend it with --fix.", " Réparez avec --fix.")

_CASES: Final[dict[str, Texts]] = {
    "livemode-differs": (
        "A test payment for a live purchase, or the reverse",
        "Paiement de test pour un achat réel, ou l'inverse",
    ),
    "currency-differs": ("Paid in another currency", "Payé dans une autre devise"),
    "amount-differs": ("Another amount came than was asked for", "Un autre montant est arrivé"),
    "grant-refused": (
        "Paid, but the credits could not be granted",
        "Payé, mais crédits non accordés",
    ),
    "give-back-refused": ("Credits could not be given back", "Crédits impossibles à rendre"),
    "allowance-refused": ("An allowance could not be granted", "Allocation non accordée"),
    "dispute": (
        "A customer's bank disputes a payment",
        "La banque d'un client conteste un paiement",
    ),
    "unknown-price": ("A price at Stripe that nobody here knows", "Un tarif Stripe inconnu ici"),
    "late-payment": (
        "Paid when the goods were gone: the money goes back by itself",
        "Payé alors que les articles étaient partis : remboursé d'office",
    ),
    "wrong-payment": (
        "An order was paid otherwise than asked: the money goes back by itself",
        "Commande payée autrement que demandé : remboursée d'office",
    ),
    "refund-refused": (
        "Stripe would not send money back: send it otherwise",
        "Stripe a refusé un remboursement d'office : remboursez autrement",
    ),
    "refund-failed-restocked": (
        "A refund has failed, and its goods are for sale again",
        "Un remboursement a échoué, et ses articles sont remis en vente",
    ),
    "orphan-event": ("An event about something that is not ours", "Un événement sans objet connu"),
    "dead-event": ("An event that failed for the last time", "Un événement en échec définitif"),
}


class _Said(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "?"


def effects(done: Sequence[Mapping[str, Any]], language: str) -> str:
    """What handling an event has done, in one sentence."""
    parts = [_effect(each, language) for each in done]
    return "; ".join(dict.fromkeys(parts))


def _effect(of: Mapping[str, Any], language: str) -> str:
    texts = _EFFECTS.get(str(of.get("effect")))
    if texts is None:
        return str(of.get("effect"))
    return pick(texts, language).format_map(_Said({**of, "money": money(of, language)}))


def money(of: Mapping[str, Any], language: str) -> str:
    """A sum in the reader's way of writing it."""
    amount, currency = of.get("amount"), of.get("currency")
    if not isinstance(amount, int):
        return "?"
    text = f"{amount / 100:.2f}"
    if language == "fr":
        text = text.replace(".", ",")
    return f"{text} {str(currency or '').upper()}".strip()


def finding(code: str, figures: Mapping[str, Any], language: str, *, mended: bool) -> str:
    """Something that a reconciliation has found, in words."""
    if code in _FINDINGS:
        text = pick(_FINDINGS[code], language).format_map(_Said(figures))
    else:
        effect = _effect({**figures, "effect": code.removeprefix("missed-")}, language)
        text = pick(_MISSED, language).format_map(_Said({**figures, "effect": effect}))
    return text + pick(_MENDED if mended else _OPEN, language)


CASE_KINDS: Final = tuple(_CASES)
"""All kinds of cases that there are."""


def case(kind: str, language: str) -> str:
    """What needs a human, in words."""
    return pick(_CASES[kind], language) if kind in _CASES else kind
