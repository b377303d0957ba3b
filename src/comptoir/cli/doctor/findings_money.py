"""What may be found of Stripe: the key, its endpoint, the secret, prices, and what it tells us."""

from typing import Final

from comptoir.cli.doctor.line import Line, failed, ok, warning
from comptoir.web.languages import Texts

_KEY: Final[Texts] = (
    "Set STRIPE_SECRET_KEY to the key of this mode, from Stripe's page of API keys.",
    "Mettez dans STRIPE_SECRET_KEY la clé de ce mode, de la page des clés d'API de Stripe.",
)
_ENDPOINT: Final[Texts] = (
    "Add an endpoint at Stripe that sends to {wanted}; its secret is STRIPE_WEBHOOK_SECRET.",
    "Ajoutez chez Stripe un endpoint vers {wanted} ; son secret est STRIPE_WEBHOOK_SECRET.",
)

MONEY: Final[dict[str, Line]] = {
    "stripe": ok("Stripe answers, in {mode} mode.", "Stripe répond, en mode {mode}."),
    "stripe-sandbox": ok("Stripe is the sandbox at {base}.", "Stripe est le bac à sable {base}."),
    "stripe-later": ok(
        "No Stripe: `comptoir serve` starts a sandbox in its place.",
        "Pas de Stripe : `comptoir serve` lance un bac à sable à sa place.",
    ),
    "stripe-none": warning(
        (
            "STRIPE_SECRET_KEY is unset: nothing can be sold.",
            "STRIPE_SECRET_KEY n'est pas indiqué : rien ne peut être vendu.",
        ),
        _KEY,
    ),
    "stripe-no-key": failed(
        (
            "STRIPE_SECRET_KEY is no secret key of Stripe's: those begin with sk_ or rk_.",
            "STRIPE_SECRET_KEY n'est pas une clé secrète de Stripe : sk_ ou rk_ au début.",
        ),
        _KEY,
    ),
    "stripe-live-here": failed(
        (
            "There is a live Stripe key, and the environment is not production.",
            "Il y a une clé Stripe réelle, et l'environnement n'est pas production.",
        ),
        (
            "Use a test key here; or set COMPTOIR_ENV=production where you sell.",
            "Prenez ici une clé de test ; ou COMPTOIR_ENV=production là où vous vendez.",
        ),
    ),
    "stripe-test-in-production": failed(
        (
            "The environment is production, and the Stripe key is one for tests: no money comes.",
            "L'environnement est production, et la clé Stripe est de test : rien n'est encaissé.",
        ),
        _KEY,
    ),
    "stripe-refused": failed(
        (
            "Stripe refuses STRIPE_SECRET_KEY, or it may not read webhook endpoints.",
            "Stripe refuse STRIPE_SECRET_KEY, ou elle ne peut pas lire les endpoints.",
        ),
        _KEY,
    ),
    "stripe-away": failed(
        ("Stripe does not answer.", "Stripe ne répond pas."),
        (
            "See that this machine may reach Stripe, and that STRIPE_API_BASE is unset.",
            "Voyez si cette machine peut joindre Stripe et si STRIPE_API_BASE est vide.",
        ),
    ),
    "signing": ok(
        "Signatures of webhooks are checked; secrets: {count}.",
        "Les signatures des webhooks sont contrôlées ; secrets : {count}.",
    ),
    "signing-none": failed(
        (
            "STRIPE_WEBHOOK_SECRET is unset: no webhook is accepted, no credits are granted.",
            "STRIPE_WEBHOOK_SECRET n'est pas indiqué : aucun webhook accepté, aucun crédit.",
        ),
        (
            "Set it to the signing secret of the endpoint at Stripe: whsec_...",
            "Mettez-y le secret de signature de l'endpoint chez Stripe : whsec_...",
        ),
    ),
    "signing-odd": warning(
        (
            "STRIPE_WEBHOOK_SECRET does not look like a signing secret of Stripe's.",
            "STRIPE_WEBHOOK_SECRET ne ressemble pas à un secret de signature de Stripe.",
        ),
        (
            "Set it to whsec_...; two of them with a comma while one takes the other's place.",
            "Mettez-y whsec_... ; deux avec une virgule pendant que l'un remplace l'autre.",
        ),
    ),
    "endpoint": ok("Stripe sends events to {url}.", "Stripe envoie les événements à {url}."),
    "endpoint-none": failed(
        ("Stripe sends events nowhere.", "Stripe n'envoie les événements nulle part."), _ENDPOINT
    ),
    "endpoint-none-here": warning(
        ("Stripe sends events nowhere.", "Stripe n'envoie les événements nulle part."),
        (
            "stripe listen --forward-to 127.0.0.1:8000/api/webhooks/stripe; its secret with it",
            "stripe listen --forward-to 127.0.0.1:8000/api/webhooks/stripe ; avec son secret",
        ),
    ),
    "endpoint-elsewhere": failed(
        (
            "Stripe sends events to {there}, and not to {wanted}.",
            "Stripe envoie les événements à {there}, et pas à {wanted}.",
        ),
        (
            "Change the endpoint at Stripe, or COMPTOIR_PUBLIC_URL.",
            "Changez l'endpoint chez Stripe, ou COMPTOIR_PUBLIC_URL.",
        ),
    ),
    "endpoint-off": failed(
        ("The endpoint {there} is disabled.", "L'endpoint {there} est désactivé."),
        (
            "Enable it at Stripe; then: comptoir reconcile",
            "Réactivez-le chez Stripe ; puis : comptoir reconcile",
        ),
    ),
    "events": ok(
        "Stripe sends all {count} types of events.", "Stripe envoie les {count} types d'événements."
    ),
    "events-missing": failed(
        ("Stripe does not send: {names}.", "Stripe n'envoie pas : {names}."),
        (
            "Add them to the endpoint at Stripe; then: comptoir reconcile",
            "Ajoutez-les à l'endpoint chez Stripe ; puis : comptoir reconcile",
        ),
    ),
    "prices": ok("Stripe knows all {count} prices.", "Stripe connaît les {count} tarifs."),
    "prices-none": ok("Nothing is for sale yet.", "Rien n'est encore en vente."),
    "prices-unknown": warning(
        ("Stripe did not say its prices.", "Stripe n'a pas dit ses tarifs."),
        ("Look again in a moment.", "Regardez encore dans un instant."),
    ),
    "prices-missing": warning(
        ("Stripe has no price for: {items}.", "Stripe n'a pas de tarif pour : {items}."),
        ("comptoir pack push", "comptoir pack push"),
    ),
    "prices-differ": failed(
        (
            "At Stripe the price is another one, or is archived: {items}.",
            "Chez Stripe le tarif est différent, ou archivé : {items}.",
        ),
        (
            "Correct the price ids in the settings, or make the price active again at Stripe.",
            "Corrigez les identifiants de tarif dans les réglages, ou réactivez-les chez Stripe.",
        ),
    ),
    "heard": ok("The last event came at {at}.", "Dernier événement reçu : {at}."),
    "heard-later": ok("No event has come yet.", "Aucun événement n'est encore arrivé."),
    "heard-nothing": warning(
        ("No event of Stripe's has ever come.", "Aucun événement de Stripe n'est jamais arrivé."),
        (
            "Send a test event from Stripe's page of the endpoint, and look again.",
            "Envoyez un événement de test depuis la page de l'endpoint, et regardez encore.",
        ),
    ),
    "heard-late": warning(
        (
            "{count} events are not done, the oldest for {minutes} minutes.",
            "{count} événements ne sont pas finis, le plus ancien depuis {minutes} minutes.",
        ),
        (
            "See that `comptoir serve` runs; then: comptoir webhook list --troubles",
            "Voyez si `comptoir serve` tourne ; puis : comptoir webhook list --troubles",
        ),
    ),
    "heard-dead": warning(
        (
            "{count} events have failed for the last time.",
            "{count} événements ont échoué pour la dernière fois.",
        ),
        (
            "comptoir webhook list --state dead; then: comptoir webhook replay --id ID",
            "comptoir webhook list --state dead ; puis : comptoir webhook replay --id ID",
        ),
    ),
}
