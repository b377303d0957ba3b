"""What may be found beside the database: Redis, e-mail, and proxies."""

from typing import Final

from comptoir.cli.doctor.line import Line, failed, ok, warning

AROUND: Final[dict[str, Line]] = {
    "redis": ok("Redis {version} answers.", "Redis {version} répond."),
    "redis-none": ok(
        "No Redis: PostgreSQL keeps rate limits, and each process its cache.",
        "Pas de Redis : PostgreSQL tient les limites de débit, chaque processus son cache.",
    ),
    "redis-refuses": warning(
        (
            "Redis {version} refuses writes once its memory is full.",
            "Redis {version} refuse les écritures quand sa mémoire est pleine.",
        ),
        (
            "Set its maxmemory-policy to allkeys-lru: what is in there may be lost.",
            "Donnez-lui la maxmemory-policy allkeys-lru : ce qu'il contient peut se perdre.",
        ),
    ),
    "redis-away": warning(
        ("Redis does not answer: {reason}.", "Redis ne répond pas : {reason}."),
        (
            "See that it runs, and that REDIS_URL has its password.",
            "Voyez s'il tourne et si REDIS_URL a son mot de passe.",
        ),
    ),
    "redis-wrong": failed(
        ("The address of Redis cannot be used.", "L'adresse de Redis ne peut pas servir."),
        ("{reason}", "{reason}"),
    ),
    "email": ok("The e-mail server answers.", "Le serveur de courriel répond."),
    "email-files": ok(
        "No e-mail server: letters are files in the home's folder mail.",
        "Pas de serveur de courriel : les lettres sont des fichiers du dossier mail.",
    ),
    "email-none": warning(
        (
            "EMAIL_SERVER is unset: letters are not sent.",
            "EMAIL_SERVER n'est pas indiqué : les lettres ne partent pas.",
        ),
        (
            "Set it to smtp://user:password@mail.example.com:587",
            "Indiquez-le : smtp://utilisateur:motdepasse@mail.example.com:587",
        ),
    ),
    "email-nobody": warning(
        (
            "EMAIL_FROM is unset: letters come from an address that nobody has.",
            "EMAIL_FROM n'est pas indiqué : les lettres viennent d'une adresse que personne n'a.",
        ),
        (
            "Set it to an address that the e-mail server may send from.",
            "Indiquez une adresse que le serveur de courriel peut employer.",
        ),
    ),
    "email-away": failed(
        (
            "The e-mail server cannot be used: {reason}.",
            "Le serveur de courriel ne peut pas servir : {reason}.",
        ),
        (
            "Correct EMAIL_SERVER, and see that this machine may reach it.",
            "Corrigez EMAIL_SERVER et voyez si cette machine peut l'atteindre.",
        ),
    ),
    "email-wrong": failed(
        (
            "The address of the e-mail server cannot be used.",
            "L'adresse du serveur de courriel ne peut pas servir.",
        ),
        ("{reason}", "{reason}"),
    ),
    "rates": ok("Requests without a key are limited.", "Les requêtes sans clé sont limitées."),
    "rates-off": warning(
        (
            "RATE_LIMIT_CLIENT is off: nobody's requests are limited.",
            "RATE_LIMIT_CLIENT est à off : aucune requête n'est limitée.",
        ),
        ("Unset it, or set it to 10/10.", "Retirez-le ou indiquez 10/10."),
    ),
    "proxies-none": warning(
        (
            "TRUSTED_PROXIES is unset: behind a proxy all clients share one limit.",
            "TRUSTED_PROXIES n'est pas indiqué : derrière un proxy, tous partagent une limite.",
        ),
        (
            "Set it to your proxy's addresses; where there is none, to 127.0.0.1.",
            "Indiquez les adresses de votre proxy ; sans proxy, 127.0.0.1.",
        ),
    ),
    "proxies-wrong": failed(
        ("TRUSTED_PROXIES cannot be used.", "TRUSTED_PROXIES ne peut pas servir."),
        ("{reason}", "{reason}"),
    ),
}
