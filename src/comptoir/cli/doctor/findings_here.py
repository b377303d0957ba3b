"""What may be found on this machine, in its settings, and on the way to the database."""

from typing import Final

from comptoir.cli.doctor.line import Line, failed, ok, warning
from comptoir.web.languages import Texts

_SESSION_POOLED: Final[Texts] = (
    "Connections come from a pooler, by sessions.",
    "Les connexions viennent d'un répartiteur, par sessions.",
)

HERE: Final[dict[str, Line]] = {
    # Settings and machine
    "settings": ok(
        "Settings: {here}, PostgreSQL of your own.", "Réglages : {here}, PostgreSQL à vous."
    ),
    "settings-embedded": ok(
        "Settings: {here}, embedded database.", "Réglages : {here}, base embarquée."
    ),
    "settings-embedded-in-production": failed(
        (
            "The environment is production, and DATABASE_URL is unset.",
            "L'environnement est production, et DATABASE_URL n'est pas indiqué.",
        ),
        (
            "Set DATABASE_URL to a PostgreSQL of yours; `comptoir move` takes the books there.",
            "Indiquez votre PostgreSQL dans DATABASE_URL ; `comptoir move` y porte les livres.",
        ),
    ),
    "settings-embedded-live-key": failed(
        (
            "There is a live Stripe key, and DATABASE_URL is unset.",
            "Il y a une clé Stripe réelle, et DATABASE_URL n'est pas indiqué.",
        ),
        (
            "Set DATABASE_URL to a PostgreSQL of yours, or use a test key.",
            "Indiquez votre PostgreSQL dans DATABASE_URL, ou prenez une clé de test.",
        ),
    ),
    "environment-new": ok(
        "The database has not been served yet.", "La base n'a encore jamais été servie."
    ),
    "environment-same": ok("The database belongs to {there}.", "La base appartient à {there}."),
    "environment-differs": failed(
        (
            "The database belongs to {there}, and this is {here}.",
            "La base appartient à {there}, et ceci est {here}.",
        ),
        (
            "Correct DATABASE_URL or COMPTOIR_ENV.",
            "Corrigez DATABASE_URL ou COMPTOIR_ENV.",
        ),
    ),
    "home": ok("{home} is yours alone.", "{home} n'est qu'à vous."),
    "home-none": ok(
        "There is no home {home} yet; it is made when it is needed.",
        "Le dossier {home} n'existe pas encore ; il est créé au besoin.",
    ),
    "home-not-ours": failed(
        ("{home} belongs to somebody else.", "{home} appartient à quelqu'un d'autre."),
        (
            "Run Comptoir as its owner, or set COMPTOIR_HOME to a folder of yours.",
            (
                "Lancez Comptoir sous son propriétaire, ou indiquez un dossier à vous dans "
                "COMPTOIR_HOME."
            ),
        ),
    ),
    "home-open": failed(
        (
            "Others can read {home}, or the secret in it.",
            "D'autres peuvent lire {home}, ou le secret qui s'y trouve.",
        ),
        (
            "chmod 700 {home}; chmod 600 {home}/secret",
            "chmod 700 {home} ; chmod 600 {home}/secret",
        ),
    ),
    "disk": ok("{free} GiB are free on the disk.", "{free} Gio sont libres sur le disque."),
    "disk-low": warning(
        ("Only {free} GiB are free on the disk.", "Il ne reste que {free} Gio sur le disque."),
        ("Make room on the disk of {home}.", "Faites de la place sur le disque de {home}."),
    ),
    "disk-full": failed(
        (
            "Only {free} GiB are free on the disk: PostgreSQL is about to stop.",
            "Il ne reste que {free} Gio sur le disque : PostgreSQL va s'arrêter.",
        ),
        ("Make room on the disk of {home}.", "Faites de la place sur le disque de {home}."),
    ),
    "secret": ok("COMPTOIR_SECRET is set.", "COMPTOIR_SECRET est indiqué."),
    "secret-kept": ok("The secret is kept in the home.", "Le secret est gardé dans le dossier."),
    "secret-unset": failed(
        (
            "COMPTOIR_SECRET is unset in production: each host would sign with its own.",
            (
                "COMPTOIR_SECRET n'est pas indiqué en production : chaque machine signerait "
                "avec le "
                "sien."
            ),
        ),
        (
            "Set it to the same 64 random characters on every host: openssl rand -hex 32",
            "Donnez-lui les mêmes 64 caractères aléatoires partout : openssl rand -hex 32",
        ),
    ),
    "secret-short": warning(
        (
            "COMPTOIR_SECRET is short enough to be guessed.",
            "COMPTOIR_SECRET est assez court pour être deviné.",
        ),
        (
            "Take 64 random characters: openssl rand -hex 32; customers' tokens end with it.",
            (
                "Prenez 64 caractères aléatoires : openssl rand -hex 32 ; les jetons des clients "
                "tombent avec."
            ),
        ),
    ),
    "tokens": ok("Tokens of machines are fine.", "Les jetons des machines vont bien."),
    "tokens-short": warning(
        ("Short enough to be guessed: {names}.", "Assez court pour être deviné : {names}."),
        (
            "Take 64 random characters: openssl rand -hex 32",
            "Prenez 64 caractères aléatoires : openssl rand -hex 32",
        ),
    ),
    "tokens-metrics-open": warning(
        (
            "METRICS_TOKEN is unset: whoever reaches the server reads /metrics.",
            "METRICS_TOKEN n'est pas indiqué : qui atteint le serveur lit /metrics.",
        ),
        (
            "Set METRICS_TOKEN, and give it to Prometheus.",
            "Indiquez METRICS_TOKEN et donnez-le à Prometheus.",
        ),
    ),
    # Reaching the database
    "database": ok("The database answers.", "La base répond."),
    "database-none": warning(
        (
            "There is no embedded database in {home} yet.",
            "Il n'y a pas encore de base embarquée dans {home}.",
        ),
        (
            "`comptoir serve` makes it; or set DATABASE_URL.",
            "`comptoir serve` la crée ; ou indiquez DATABASE_URL.",
        ),
    ),
    "database-away": failed(
        ("The database cannot be looked at.", "La base ne peut pas être examinée."),
        ("{reason}", "{reason}"),
    ),
    "database-broken": failed(
        ("PostgreSQL refuses: {reason}", "PostgreSQL refuse : {reason}"),
        (
            "Correct DATABASE_URL and DATABASE_DIRECT_URL, and see that PostgreSQL runs.",
            "Corrigez DATABASE_URL et DATABASE_DIRECT_URL, et voyez si PostgreSQL tourne.",
        ),
    ),
    "addresses": ok("Both addresses lead to one database.", "Les deux adresses mènent à une base."),
    "addresses-differ": failed(
        (
            "DATABASE_URL and DATABASE_DIRECT_URL lead to two databases.",
            "DATABASE_URL et DATABASE_DIRECT_URL mènent à deux bases.",
        ),
        ("Correct one of them.", "Corrigez l'une des deux."),
    ),
    "pooler-none": ok("No pooler stands before it.", "Aucun répartiteur devant elle."),
    "pooler-session": ok(*_SESSION_POOLED),
    "pooler-transaction": ok(
        "Connections come from a pooler, by transactions; DATABASE_DIRECT_URL goes past it.",
        "Les connexions viennent d'un répartiteur, par transactions ; DATABASE_DIRECT_URL l'évite.",
    ),
    "pooler-direct": failed(
        (
            "Migrations and the worker would go through a pooler by transactions.",
            "Les migrations et les tâches passeraient par un répartiteur par transactions.",
        ),
        (
            "Set DATABASE_DIRECT_URL to PostgreSQL itself.",
            "Indiquez PostgreSQL lui-même dans DATABASE_DIRECT_URL.",
        ),
    ),
    "prepared": ok(
        "The pooler keeps prepared statements apart.",
        "Le répartiteur sépare les instructions préparées.",
    ),
    "prepared-leak": failed(
        (
            "The pooler mixes up the prepared statements of its clients.",
            "Le répartiteur mélange les instructions préparées de ses clients.",
        ),
        (
            (
                "PgBouncer 1.21 or later with max_prepared_statements above 0 does not; or pool by "
                "sessions."
            ),
            (
                "PgBouncer 1.21 ou plus, avec max_prepared_statements au-dessus de 0, ne le fait "
                "pas ; ou répartissez par sessions."
            ),
        ),
    ),
}
