"""The texts of asking for the past: the part of the table in texts.py that its own file has."""

from typing import Final

from comptoir.web.languages import Texts

EXPLAIN: Final[dict[str, Texts]] = {
    "help.credits.explain": (
        "Explain a balance, now or at a past time, down to its movements.",
        "Expliquer un solde, actuel ou passé, jusqu'à ses mouvements.",
    ),
    "option.at": (
        "As it was at this time, such as 2026-03-12T10:00:00Z.",
        "Tel qu'il était à cette date, par exemple 2026-03-12T10:00:00Z.",
    ),
    "explain.at": ("At {at}:", "Au {at} :"),
    "explain.lots": ("Made of these lots, spent in this order:", "Lots, par ordre de dépense :"),
    "explain.holds": ("Set aside by these holds:", "Retenues en cours :"),
    "explain.more-holds": ("and {count} more.", "et {count} autres."),
    "explain.movements": (
        "From {opening} to {closing}, the newest first:",
        "De {opening} à {closing}, du plus récent au plus ancien :",
    ),
    "explain.nothing": ("Nothing has ever happened here.", "Il ne s'est encore rien passé ici."),
    "column.captured": ("captured", "capturé"),
    "column.reference": ("reference", "référence"),
    "column.text": ("what happened", "ce qui s'est passé"),
}
