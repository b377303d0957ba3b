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
    "serve.login": (
        "Dashboard: {address} (signs you in once, within 30 minutes)",
        "Tableau de bord : {address} (connecte une seule fois, dans les 30 minutes)",
    ),
}
