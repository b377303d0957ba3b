"""Every way to refuse, in one table: status, exit code of the CLI, texts in English and French.

Whatever can go wrong has one line here, named by its code; `problems.py` says how it is shown.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from comptoir.kit.limits import BODY_BYTES
from comptoir.web import catalogue_import
from comptoir.web.catalogue_explain import EXPLAIN
from comptoir.web.catalogue_guards import GUARDS
from comptoir.web.catalogue_moving import MOVING
from comptoir.web.catalogue_payments import FIELDS as MONEY_FIELDS
from comptoir.web.catalogue_payments import PAYMENTS, PROVIDER
from comptoir.web.catalogue_people import PEOPLE
from comptoir.web.catalogue_stock import FIELDS as STOCK_FIELDS
from comptoir.web.catalogue_stock import STOCK
from comptoir.web.languages import Texts


class Exit(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    USAGE = 2
    NOT_BALANCED = 3
    DEPENDENCY = 4
    REFUSED = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the table.

    Attributes:
        status: of the HTTP answer.
        exit: of the command line.
        title: what kind of problem it is; the same for every occurrence.
        detail: what happened this time; figures stand in braces.
    """

    status: int
    exit: Exit
    title: Texts
    detail: Texts


def _p(status: int, exit_: Exit, title: Texts, detail: Texts) -> Problem:
    return Problem(status, exit_, title, detail)


_USAGE, _REFUSED, _DEPENDENCY = Exit.USAGE, Exit.REFUSED, Exit.DEPENDENCY
_INVALID: Final[Texts] = ("Invalid request", "Requête invalide")
_NOT_FOUND: Final[Texts] = ("Not found", "Introuvable")
_DOWN: Final[Texts] = ("Unavailable", "Indisponible")
_REPEAT: Final[Texts] = ("repeat with the same key", "répétez avec la même clé")

PROBLEMS: Final[dict[str, Problem]] = {
    # Who calls
    "unauthorized": _p(
        401,
        _REFUSED,
        ("Not authenticated", "Authentification requise"),
        (
            "Send a valid key in the header: Authorization: Bearer KEY.",
            "Envoyez une clé valide dans l'en-tête : Authorization: Bearer CLÉ.",
        ),
    ),
    "forbidden": _p(
        403,
        _REFUSED,
        ("Not allowed", "Accès refusé"),
        ("This key may not do this.", "Cette clé ne permet pas cette opération."),
    ),
    # How the request is written
    "bad-request": _p(
        400,
        _USAGE,
        ("Unreadable request", "Requête illisible"),
        ("The address of the request is not valid UTF-8.", "L'adresse n'est pas en UTF-8 valide."),
    ),
    "malformed-json": _p(
        400,
        _USAGE,
        ("Malformed JSON", "JSON mal formé"),
        ("The body is not valid JSON in UTF-8.", "Le corps n'est pas du JSON valide en UTF-8."),
    ),
    "idempotency-key-missing": _p(
        400,
        _USAGE,
        ("Idempotency key missing", "Clé d'idempotence absente"),
        (
            "Send the header Idempotency-Key, so that a repeat has no second effect.",
            "Envoyez l'en-tête Idempotency-Key, pour qu'une répétition n'ait pas de second effet.",
        ),
    ),
    "cursor-invalid": _p(
        400,
        _USAGE,
        ("Cursor not valid", "Curseur invalide"),
        (
            "The cursor belongs to another list, was changed, or has expired. Start without one.",
            "Le curseur vient d'une autre liste, a été modifié ou a expiré. Recommencez sans lui.",
        ),
    ),
    "not-found": _p(
        404,
        _USAGE,
        _NOT_FOUND,
        ("There is nothing at this address.", "Il n'y a rien à cette adresse."),
    ),
    "method-not-allowed": _p(
        405,
        _USAGE,
        ("Method not allowed", "Méthode non permise"),
        ("This address does not know {method}.", "Cette adresse ne connaît pas {method}."),
    ),
    "payload-too-large": _p(
        413,
        _USAGE,
        ("Body too large", "Corps trop volumineux"),
        (
            f"A body may have at most {BODY_BYTES} bytes.",
            f"Un corps peut avoir au plus {BODY_BYTES} octets.",
        ),
    ),
    "unsupported-media-type": _p(
        415,
        _USAGE,
        ("Not JSON", "Pas du JSON"),
        (
            "Send the body as Content-Type: application/json.",
            "Envoyez le corps en Content-Type: application/json.",
        ),
    ),
    "validation-failed": _p(
        422,
        _USAGE,
        _INVALID,
        ("{field}: {message}", "{field} : {message}"),
    ),
    # What is wrong with a field; HTTP shows these inside of validation-failed
    "amount-invalid": _p(
        422,
        _USAGE,
        _INVALID,
        (
            (
                'must be a whole number or a decimal in quotes such as 5 or "0.25": above zero, '
                "at most 12 digits before and 6 after the point"
            ),
            (
                "doit être un entier ou un décimal entre guillemets comme 5 ou « 0.25 » : positif, "
                "au plus 12 chiffres avant et 6 après le point"
            ),
        ),
    ),
    "amount-too-precise": _p(
        422,
        _USAGE,
        _INVALID,
        ("this asset has {scale} decimals", "cet actif a {scale} décimales"),
    ),
    "amount-too-large": _p(
        422, _USAGE, _INVALID, ("makes the total too large", "rend le total trop grand")
    ),
    "cost-invalid": _p(
        422,
        _USAGE,
        _INVALID,
        (
            'must be a decimal in quotes such as "0.158", with at most 9 decimals',
            "doit être un décimal entre guillemets comme « 0.158 », avec au plus 9 décimales",
        ),
    ),
    "customer-or-account": _p(
        422,
        _USAGE,
        _INVALID,
        ("say either customer or account", "indiquez soit customer, soit account"),
    ),
    "account-invalid": _p(
        422,
        _USAGE,
        _INVALID,
        (
            "must be a stock account such as stock:TEE:M",
            "doit être un compte de stock comme stock:TEE:M",
        ),
    ),
    "amount-or-action": _p(
        422,
        _USAGE,
        _INVALID,
        (
            "say either amount, or action with or without quantity",
            "indiquez soit amount, soit action avec ou sans quantity",
        ),
    ),
    "ttl-invalid": _p(
        422,
        _USAGE,
        _INVALID,
        ("must be a number of seconds, 1 to 86400", "doit être un nombre de secondes, 1 à 86400"),
    ),
    "on-excess-invalid": _p(
        422, _USAGE, _INVALID, ("stock always refuses excess", "le stock refuse tout excédent")
    ),
    "idempotency-key-repeated": _p(
        422,
        _USAGE,
        _INVALID,
        (
            "two requests of an atomic batch carry the same key",
            "deux requêtes d'un lot atomique portent la même clé",
        ),
    ),
    "time-zone-invalid": _p(
        422,
        _USAGE,
        _INVALID,
        (
            "must be a time zone such as Europe/Paris",
            "doit être un fuseau horaire comme Europe/Paris",
        ),
    ),
    # Idempotency
    "idempotency-key-reused": _p(
        422,
        _REFUSED,
        ("Idempotency key used before", "Clé d'idempotence déjà utilisée"),
        (
            "This key was used by another request; {field} differs.",
            "Cette clé a servi à une autre requête ; {field} diffère.",
        ),
    ),
    "request-in-flight": _p(
        409,
        _DEPENDENCY,
        ("Operation in progress", "Opération déjà en cours"),
        (
            f"A request with this key is still running; {_REPEAT[0]}.",
            f"Une requête avec cette clé est encore en cours ; {_REPEAT[1]}.",
        ),
    ),
    "outcome-unknown": _p(
        503,
        _DEPENDENCY,
        ("Outcome unknown", "Issue inconnue"),
        (
            f"The database was lost at the commit: the effect may exist or not; {_REPEAT[0]}.",
            f"La base a été perdue à la validation : l'effet existe ou non ; {_REPEAT[1]}.",
        ),
    ),
    # What the ledger refuses
    "insufficient-credits": _p(
        402,
        _REFUSED,
        ("Not enough credits", "Crédits insuffisants"),
        ("{needed} needed, {available} available.", "{needed} requis, {available} disponibles."),
    ),
    "insufficient-tokens": _p(
        402,
        _REFUSED,
        ("Not enough tokens", "Jetons insuffisants"),
        ("{needed} needed, {available} available.", "{needed} requis, {available} disponibles."),
    ),
    "hold-not-found": _p(
        404, _REFUSED, _NOT_FOUND, ("There is no such hold.", "Cette retenue n'existe pas.")
    ),
    "movement-not-found": _p(
        404, _REFUSED, _NOT_FOUND, ("There is no such movement.", "Ce mouvement n'existe pas.")
    ),
    "account-not-found": _p(
        404, _REFUSED, _NOT_FOUND, ("There is no such account.", "Ce compte n'existe pas.")
    ),
    "unknown-asset": _p(
        404,
        _REFUSED,
        _NOT_FOUND,
        ("There is no asset {asset}.", "L'actif {asset} n'existe pas."),
    ),
    "unknown-action": _p(
        404,
        _REFUSED,
        _NOT_FOUND,
        (
            "The price book has no action {action}.",
            "Le tarif ne connaît pas l'action {action}.",
        ),
    ),
    "unknown-customer": _p(
        404, _REFUSED, _NOT_FOUND, ("There is no such customer.", "Ce client n'existe pas.")
    ),
    "unknown-key": _p(
        404, _REFUSED, _NOT_FOUND, ("There is no such key.", "Cette clé n'existe pas.")
    ),
    "unknown-book": _p(
        404,
        _REFUSED,
        _NOT_FOUND,
        (
            "There is no book {book}; there are {books}.",
            "Le livre {book} n'existe pas ; il y a {books}.",
        ),
    ),
    "asset-mismatch": _p(
        422,
        _REFUSED,
        ("Different assets", "Actifs différents"),
        ("Both sides must hold the same asset.", "Les deux côtés doivent être du même actif."),
    ),
    "same-account": _p(
        422,
        _USAGE,
        ("Same account twice", "Deux fois le même compte"),
        ("must be another account than the first", "doit être un autre compte que le premier"),
    ),
    "not-reversible": _p(
        409,
        _REFUSED,
        ("Not reversible", "Non annulable"),
        (
            "Only grants, spends and captures can be reversed.",
            "Seuls les octrois, dépenses et captures peuvent être annulés.",
        ),
    ),
    "expired": _p(
        409,
        _REFUSED,
        ("Already expired", "Déjà expiré"),
        ("expires_at has passed already.", "expires_at est déjà passé."),
    ),
    "hold-not-open": _p(
        409,
        _REFUSED,
        ("Hold not open", "Retenue close"),
        (
            "The hold was captured or released, or has expired.",
            "La retenue a été capturée ou libérée, ou a expiré.",
        ),
    ),
    "already-reversed": _p(
        409,
        _REFUSED,
        ("Already reversed", "Déjà annulé"),
        ("The movement was reversed before.", "Le mouvement a déjà été annulé."),
    ),
    "exceeds-hold": _p(
        422,
        _REFUSED,
        ("More than was held", "Plus que la retenue"),
        (
            "The amount is more than what is left of the hold.",
            "Le montant dépasse ce qui reste de la retenue.",
        ),
    ),
    "exceeds-movement": _p(
        422,
        _REFUSED,
        ("More than is left", "Plus que le reste"),
        (
            "The amount is more than what is left of the movement.",
            "Le montant dépasse ce qui reste du mouvement.",
        ),
    ),
    "partly-spent": _p(
        409,
        _REFUSED,
        ("Partly spent", "Déjà entamé"),
        (
            (
                "Of {needed} to take back {available} are left; if_spent: debt lets the rest "
                "be owed."
            ),
            "Sur {needed} à reprendre il reste {available} ; if_spent: debt met le reste en dette.",
        ),
    ),
    "too-many-lots": _p(
        409,
        _REFUSED,
        ("Too many lots", "Trop de lots"),
        (
            "The account has as many open lots as it may have.",
            "Le compte a autant de lots ouverts qu'il peut en avoir.",
        ),
    ),
    "balance-limit": _p(
        409,
        _REFUSED,
        ("Balance limit", "Plafond du solde"),
        ("The balance would become too large.", "Le solde deviendrait trop grand."),
    ),
    "chain-broken": _p(
        409,
        _REFUSED,
        ("Chain broken", "Chaîne rompue"),
        (
            "Another request of the atomic batch was refused, so nothing of it happened.",
            "Une autre requête du lot atomique a été refusée, rien du lot n'a eu lieu.",
        ),
    ),
    # What contradicts what is there
    "price-changed": _p(
        409,
        _REFUSED,
        ("Price changed meanwhile", "Prix modifié entre-temps"),
        (
            "Somebody else has just set the price of {action}; look, and try again.",
            "Quelqu'un vient de fixer le prix de {action} ; vérifiez, puis réessayez.",
        ),
    ),
    "asset-exists": _p(
        409,
        _REFUSED,
        ("Asset exists", "Actif existant"),
        (
            "The asset {asset} is there already, with {scale} decimals.",
            "L'actif {asset} existe déjà, avec {scale} décimales.",
        ),
    ),
    # What is down or full
    "database-down": _p(
        503,
        _DEPENDENCY,
        _DOWN,
        (
            f"The database does not answer; {_REPEAT[0]}.",
            f"La base de données ne répond pas ; {_REPEAT[1]}.",
        ),
    ),
    "migrations-behind": _p(
        503,
        _DEPENDENCY,
        _DOWN,
        (
            "The database has not the tables of this version; run: comptoir migrate.",
            "La base n'a pas les tables de cette version ; lancez : comptoir migrate.",
        ),
    ),
    "overloaded": _p(
        503,
        _DEPENDENCY,
        _DOWN,
        (
            f"Too many requests are waiting; {_REPEAT[0]}.",
            f"Trop de requêtes sont en attente ; {_REPEAT[1]}.",
        ),
    ),
    "account-busy": _p(
        503,
        _DEPENDENCY,
        _DOWN,
        (
            f"Somebody else keeps the account locked; {_REPEAT[0]}.",
            f"Le compte est verrouillé par ailleurs ; {_REPEAT[1]}.",
        ),
    ),
    "shutting-down": _p(
        503,
        _DEPENDENCY,
        _DOWN,
        (f"The server is shutting down; {_REPEAT[0]}.", f"Le serveur s'arrête ; {_REPEAT[1]}."),
    ),
    "internal": _p(
        500,
        _DEPENDENCY,
        ("Internal error", "Erreur interne"),
        (
            "Something unexpected happened; the request id leads to it in the logs.",
            "Un imprévu est survenu ; l'identifiant de requête y mène dans les journaux.",
        ),
    ),
    # Why a file, or a line of it, is not imported
    **{code: _p(422, _USAGE, *texts) for code, texts in catalogue_import.FILES.items()},
    **{code: _p(422, _REFUSED, *texts) for code, texts in catalogue_import.LINES.items()},
    **{code: _p(422, _USAGE, _INVALID, text) for code, text in EXPLAIN.items()},
    **{code: _p(status, _DEPENDENCY, *texts) for code, (status, *texts) in MOVING.items()},
    **{code: _p(status, _REFUSED, *texts) for code, (status, *texts) in PEOPLE.items()},
    **{code: _p(status, _REFUSED, *texts) for code, (status, *texts) in GUARDS.items()},
    **{code: _p(status, _REFUSED, *texts) for code, (status, *texts) in PAYMENTS.items()},
    **{code: _p(status, _DEPENDENCY, *texts) for code, (status, *texts) in PROVIDER.items()},
    **{code: _p(422, _USAGE, _INVALID, text) for code, text in MONEY_FIELDS.items()},
    **{code: _p(status, _REFUSED, *texts) for code, (status, *texts) in STOCK.items()},
    **{code: _p(422, _USAGE, _INVALID, text) for code, text in STOCK_FIELDS.items()},
}
