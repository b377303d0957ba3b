"""What is refused by guards and about jobs: part of the catalogue."""

from typing import Final

from comptoir.web.languages import Texts

_JOB: Final[Texts] = ("Job", "Tâche")
_EMAIL: Final[Texts] = ("E-mail", "Courriel")

GUARDS: Final[dict[str, tuple[int, Texts, Texts]]] = {
    "operation-in-progress": (
        409,
        ("Operation already running", "Opération déjà en cours"),
        (
            "Somebody else is doing this at the moment; try again shortly.",
            "Opération déjà en cours ; réessayez dans un instant.",
        ),
    ),
    "lease-lost": (
        409,
        ("Lease lost", "Bail perdu"),
        (
            "The lease is not held any more: its time was up, or it was given back.",
            "Le bail n'est plus détenu : son temps est écoulé ou il a été rendu.",
        ),
    ),
    "claim-lost": (
        409,
        ("Taken over", "Reprise par un autre"),
        (
            "Somebody else has taken this call over; repeat with the same key for its result.",
            "Un autre a repris cet appel ; répétez avec la même clé pour son résultat.",
        ),
    ),
    "quota-reached": (
        429,
        ("Quota reached", "Quota atteint"),
        (
            "Quota of {label} reached ({limit} a day).",
            "Quota {label} atteint ({limit}/jour).",
        ),
    ),
    "unknown-metric": (
        404,
        ("Unknown metric", "Compteur inconnu"),
        (
            "No plan has a quota of {metric}.",
            "Aucun plan n'a de quota « {metric} ».",
        ),
    ),
    "unknown-plan": (
        404,
        ("Unknown plan", "Plan inconnu"),
        ("There is no plan {plan}.", "Le plan {plan} n'existe pas."),
    ),
    "reservation-not-found": (
        404,
        ("Reservation not found", "Réservation introuvable"),
        (
            "There is no such reservation of a quota, or it ended long ago.",
            "Cette réservation de quota n'existe pas, ou elle a pris fin il y a longtemps.",
        ),
    ),
    "reservation-ended": (
        409,
        ("Reservation ended", "Réservation terminée"),
        (
            "The reservation ended before, with another figure.",
            "La réservation a déjà pris fin, avec un autre chiffre.",
        ),
    ),
    "exceeds-reservation": (
        422,
        ("More than reserved", "Plus que réservé"),
        (
            "No more can be used than was reserved.",
            "On ne peut pas utiliser plus que ce qui a été réservé.",
        ),
    ),
    "job-not-found": (
        404,
        ("Job not found", "Tâche introuvable"),
        (
            "There is no such job, or it ended too long ago.",
            "Cette tâche n'existe pas, ou elle a pris fin il y a trop longtemps.",
        ),
    ),
    "job-lease-lost": (
        409,
        ("Job taken over", "Tâche reprise"),
        (
            "This job is not leased to you any more: your time was up, it ended or was cancelled.",
            "Cette tâche ne vous est plus confiée : délai écoulé, terminée ou annulée.",
        ),
    ),
    "job-not-retryable": (
        409,
        _JOB,
        (
            "The job is {state}: only one that is dead, failed or cancelled is retried.",
            "État de la tâche : {state} ; seule une tâche morte, échouée ou annulée se relance.",
        ),
    ),
    "job-ended": (
        409,
        _JOB,
        ("The job has ended already: {state}.", "La tâche est déjà terminée : {state}."),
    ),
    "job-waits": (
        409,
        _JOB,
        (
            "Another job waits under the same unique name.",
            "Une autre tâche attend sous le même nom unique.",
        ),
    ),
    "jobs-not-found": (
        422,
        ("No jobs there", "Pas de tâches ici"),
        (
            "{name} is not the Jobs of an application: {reason}.",
            "{name} n'est pas le Jobs d'une application : {reason}.",
        ),
    ),
    "cost-exceeds-limit": (
        409,
        ("Can never go through", "Ne passera jamais"),
        (
            "A cost of {cost} can never go through a limit of {limit}.",
            "Un coût de {cost} ne passera jamais une limite de {limit}.",
        ),
    ),
    "answer-not-kept": (
        409,
        ("Answer not kept", "Réponse non conservée"),
        (
            "This was done once, with status {first}; the answer was too large to be kept.",
            "Ceci a été fait une fois, avec le statut {first} ; réponse trop grande à conserver.",
        ),
    ),
    "rate-limited": (
        429,
        ("Too many requests", "Trop de requêtes"),
        (
            "At most {limit} requests in {window} seconds; try again in {wait} seconds.",
            "Au plus {limit} requêtes en {window} secondes ; réessayez dans {wait} secondes.",
        ),
    ),
    "trusted-proxies-invalid": (
        422,
        ("Trusted proxies", "Mandataires de confiance"),
        (
            "TRUSTED_PROXIES has something that is no address and no network: {reason}.",
            "TRUSTED_PROXIES contient autre chose qu'une adresse ou un réseau : {reason}.",
        ),
    ),
    "redis-down": (
        503,
        ("Redis is down", "Redis est en panne"),
        (
            "Redis does not answer, and this may not be decided without it; try again shortly.",
            "Redis ne répond pas, et ceci ne peut se décider sans lui ; réessayez dans un instant.",
        ),
    ),
    "redis-missing": (
        503,
        ("Redis client missing", "Client Redis absent"),
        (
            "A Redis is configured, and redis-py is not installed: install comptoir[redis].",
            "Un Redis est configuré, et redis-py n'est pas installé : installez comptoir[redis].",
        ),
    ),
    "redis-url-invalid": (
        422,
        ("Address of Redis", "Adresse de Redis"),
        (
            "REDIS_URL is no address such as rediss://default:password@redis.example.com:6379.",
            "REDIS_URL n'est pas une adresse comme rediss://default:secret@redis.example.com:6379.",
        ),
    ),
    "upstash-incomplete": (
        422,
        ("Address of Redis", "Adresse de Redis"),
        (
            "UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN go together.",
            "UPSTASH_REDIS_REST_URL et UPSTASH_REDIS_REST_TOKEN vont ensemble.",
        ),
    ),
    "email-server-invalid": (
        422,
        _EMAIL,
        (
            "EMAIL_SERVER is no address such as smtp://user:password@mail.example.com:587.",
            "EMAIL_SERVER n'est pas une adresse comme smtp://nom:secret@mail.example.com:587.",
        ),
    ),
    "email-from-invalid": (
        422,
        _EMAIL,
        (
            "EMAIL_FROM is no address such as Shop <shop@example.com>.",
            "EMAIL_FROM n'est pas une adresse comme Boutique <boutique@example.com>.",
        ),
    ),
    "email-not-configured": (
        503,
        _EMAIL,
        (
            "No e-mail is sent from here: EMAIL_SERVER says no server.",
            "Aucun courriel ne part d'ici : EMAIL_SERVER ne nomme aucun serveur.",
        ),
    ),
    "email-not-sent": (
        503,
        _EMAIL,
        (
            "The e-mail could not be handed over ({reason}); it is tried again.",
            "Le courriel n'a pas pu être remis ({reason}) ; nouvel essai.",
        ),
    ),
    "email-refused": (
        422,
        _EMAIL,
        (
            "The receiving server refuses the e-mail for good ({smtp}).",
            "Le serveur du destinataire refuse définitivement le courriel ({smtp}).",
        ),
    ),
    "job-too-large": (
        413,
        ("Payload too large", "Contenu trop volumineux"),
        (
            "The payload of a job, and its result, have at most {most} bytes.",
            "Le contenu d'une tâche et son résultat ont au plus {most} octets.",
        ),
    ),
}
"""Status, title and detail by code."""
