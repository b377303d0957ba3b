"""The texts of the pages about credits and the margin."""

from typing import Final

from comptoir.web.languages import Texts

FIGURES: Final[dict[str, Texts]] = {
    "col.action": ("Action", "Action"),
    "col.model": ("Model", "Modèle"),
    "col.credits": ("Credits", "Crédits"),
    "col.real-cost": ("Real cost", "Coût réel"),
    "col.pack": ("Pack", "Pack"),
    "col.margin": ("Margin", "Marge"),
    "col.each": ("Per credit", "Par crédit"),
    "col.without-tax": ("Without tax", "Hors taxe"),
    "col.with-tax": ("With tax", "Taxe comprise"),
    "col.calls": ("Calls", "Appels"),
    "col.unpaid": ("Of them unpaid", "Dont non payés"),
    "col.revenue": ("Revenue", "Revenu"),
    "col.cost": ("Cost", "Coût"),
    # Credits
    "expiring": ("About to expire", "Bientôt expirés"),
    "expiring.what": (
        "Open lots that end within 30 days, the soonest first.",
        "Lots ouverts qui finissent sous 30 jours, les plus proches d'abord.",
    ),
    "expiring.none": (
        "No lot ends within 30 days.",
        "Aucun lot ne finit sous 30 jours.",
    ),
    "holding": ("Oldest open holds", "Plus anciennes retenues ouvertes"),
    "holding.what": (
        (
            "What is set aside for work under way. One that is very old was perhaps forgotten: "
            "whoever made it neither settled nor released it."
        ),
        (
            "Ce qui est mis de côté pour un travail en cours. Une retenue très ancienne est "
            "peut-être oubliée : ni réglée ni libérée par qui l'a faite."
        ),
    ),
    "pricing": ("Prices of actions", "Prix des actions"),
    "pricing.what": (
        "What one call brings with each pack, without tax, and the margin on what it costs you.",
        "Ce qu'un appel rapporte avec chaque pack, hors taxe, et la marge sur ce qu'il vous coûte.",
    ),
    "pricing.none": ("No action has a price yet.", "Aucune action n'a encore de prix."),
    "pricing.how": ("Give one a price with", "Donnez-lui un prix avec"),
    "packs": ("Packs", "Packs"),
    "packs.none": ("No pack is for sale yet.", "Aucun pack n'est encore en vente."),
    "packs.no-tax": ("no tax said", "sans taxe indiquée"),
    "packs.tax": ("tax {percent}", "taxe {percent}"),
    "age.minutes": ("{n} min", "{n} min"),
    "age.hours": ("{n} h", "{n} h"),
    "age.days": ("{n} d", "{n} j"),
    # Margin
    "margin.today": ("Margin today", "Marge du jour"),
    "margin.none-today": ("Nothing was used today.", "Rien n'a été consommé aujourd'hui."),
    "margin.earned": ("{sum} earned, without tax", "{sum} gagnés, hors taxe"),
    "margin.unpaid": ("Only unpaid credits were used", "Seuls des crédits non payés consommés"),
    "margin.cost": ("{cost} real cost", "{cost} de coût réel"),
    "margin.more": ("By action", "Par action"),
    "margin.what": (
        (
            "Revenue is what the credits that were used had been paid, without tax. The margin is "
            "on the cost: (revenue − cost) / cost. The worst comes first."
        ),
        (
            "Le revenu est ce qui avait été payé, hors taxe, pour les crédits consommés. La marge "
            "est sur le coût : (revenu − coût) / coût. La pire vient d'abord."
        ),
    ),
    "margin.days": ("Time", "Période"),
    "margin.days-1": ("Today", "Aujourd'hui"),
    "margin.days-n": ("{n} days", "{n} jours"),
    "margin.by": ("By", "Par"),
    "way.action": ("action", "action"),
    "way.customer": ("customer", "client"),
    "way.model": ("model", "modèle"),
    "margin.unnamed": ("without a name", "sans nom"),
    "margin.total": ("Total", "Total"),
    "margin.none": ("Nothing was used in this time.", "Rien n'a été consommé sur cette période."),
    "margin.how": (
        "A spend or a settled hold with an action shows here at once.",
        "Une dépense ou une retenue réglée avec une action paraît ici aussitôt.",
    ),
    "margin.partly": (
        "Complete up to {at}; what came later is still being added up.",
        "Complet jusqu'à {at} ; la suite est encore en cours d'addition.",
    ),
    "margin.slow": (
        "That much takes too long to add up at once. Choose a shorter time, or by action.",
        "C'est trop long à additionner d'un coup. Choisissez moins de jours, ou par action.",
    ),
    "margin.rest": (
        "The first {n} lines; the file has all of them.",
        "Les {n} premières lignes ; le fichier les a toutes.",
    ),
    "margin.list": ("At the prices of the packs", "Aux prix des packs"),
}
"""Texts of credits, of the price list and of the margin."""
