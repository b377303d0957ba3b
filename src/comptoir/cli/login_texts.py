"""What is said about signing in to the pages."""

from typing import Final

from comptoir.web.languages import Texts

LOGIN: Final[dict[str, Texts]] = {
    "help.login": (
        "Make an address that signs an operator in to the pages, once.",
        "Créer une adresse qui connecte un opérateur aux pages, une seule fois.",
    ),
    "option.login-name": (
        "Who signs in, as the audit will say.",
        "Qui se connecte, tel que l'audit le dira.",
    ),
    "option.login-rank": (
        "viewer looks; support also acts; admin may do everything.",
        "viewer regarde ; support agit aussi ; admin peut tout faire.",
    ),
    "login.made": (
        "It signs {name} in once, within 30 minutes.",
        "Elle connecte {name} une seule fois, dans les 30 minutes.",
    ),
    "help.portal": (
        "Make a link that opens a customer's own pages, once.",
        "Créer un lien vers l'espace d'un client, une seule fois.",
    ),
    "option.portal-ttl": (
        "For how long the link opens them; 15 minutes by default.",
        "Durée de validité du lien ; 15 minutes par défaut.",
    ),
    "portal.made": (
        "It opens the pages of {customer} once, until {until}.",
        "Il ouvre l'espace de {customer} une seule fois, jusqu'à {until}.",
    ),
    "serve.login": (
        "Dashboard: {address} (signs you in once, within 30 minutes)",
        "Tableau de bord : {address} (connecte une seule fois, dans les 30 minutes)",
    ),
}
