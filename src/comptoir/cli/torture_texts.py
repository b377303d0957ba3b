"""The texts of the torture: the part of the table in texts.py that would make it too long."""

from typing import Final

from comptoir.web.languages import Texts

TORTURE: Final[dict[str, Texts]] = {
    "help.torture": (
        (
            "Kill servers, PostgreSQL and Redis under load in a throw-away home, and show by SQL "
            "that nothing was lost, doubled or oversold; exit code 3 if something was."
        ),
        (
            "Tuer des serveurs, PostgreSQL et Redis sous la charge dans un dossier jetable, et "
            "montrer par SQL que rien n'a été perdu, doublé ou survendu ; code de sortie 3 sinon."
        ),
    ),
    "option.torture-seed": (
        "The same seed brings the same troubles at the same moments; drawn when not given.",
        "La même graine amène les mêmes ennuis aux mêmes moments ; tirée au sort sinon.",
    ),
    "option.minutes": ("How long troubles come.", "Durée des ennuis, en minutes."),
    "option.schedule": (
        "Show what would happen when, and do nothing.",
        "Montrer ce qui arriverait et quand, et ne rien faire.",
    ),
    "column.second": ("second", "seconde"),
    "column.trouble": ("trouble", "ennui"),
    "column.victim": ("victim", "victime"),
    "column.figure": ("seconds or ms", "secondes ou ms"),
    "torture.kill-server": ("server killed", "serveur tué"),
    "torture.shift-clock": ("server killed, clock wrong", "serveur tué, horloge fausse"),
    "torture.kill-postgres": ("PostgreSQL killed", "PostgreSQL tué"),
    "torture.kill-backend": ("backend killed", "processus de session tué"),
    "torture.lock-rows": ("rows locked by a stranger", "lignes verrouillées par un tiers"),
    "torture.hang-up": ("callers hang up", "des appelants raccrochent"),
    "torture.kill-redis": ("Redis killed", "Redis tué"),
    "torture.freeze-redis": ("Redis frozen", "Redis gelé"),
    "torture.flush-redis": ("Redis flushed", "Redis vidé"),
    "torture.no-redis": (
        "No redis-server here: the servers do without, and nothing happens to it.",
        "Pas de redis-server ici : les serveurs s'en passent, et rien ne lui arrive.",
    ),
    "torture.plan": (
        "Seed {seed}, {seconds} s: {troubles} troubles, {kills} of them kills; schedule {digest}.",
        (
            "Graine {seed}, {seconds} s : {troubles} ennuis, dont {kills} processus tués ; "
            "programme {digest}."
        ),
    ),
    "torture.opening": (
        "Opening a throw-away home: PostgreSQL, four servers, callers ...",
        "Ouverture d'un dossier jetable : PostgreSQL, quatre serveurs, des appelants ...",
    ),
    "torture.interrupted": (
        "Ended before the judgement: no receipt.",
        "Terminé avant le jugement : pas de reçu.",
    ),
    "torture.progress": (
        (
            "{clock} {acknowledged} acknowledged ({rate}/s), {kills} kills, {up} of {servers} "
            "servers up"
        ),
        (
            "{clock} {acknowledged} confirmées ({rate}/s), {kills} processus tués, {up} serveurs "
            "sur {servers} debout"
        ),
    ),
    "torture.callers-were": (
        (
            "Callers: {acknowledged} requests acknowledged, {refused} of them refused; {replayed} "
            "repeats got the stored answer, {reused} keys used twice were refused; {in_vain} tries "
            "in vain ({causes})."
        ),
        (
            "Appelants : {acknowledged} demandes confirmées, dont {refused} refusées ; {replayed} "
            "répétitions ont reçu la réponse gardée, {reused} clés employées deux fois ont été "
            "refusées ; {in_vain} essais en vain ({causes})."
        ),
    ),
    "torture.troubles-were": ("Troubles: {troubles}.", "Ennuis : {troubles}."),
    "torture.phase.start": ("servers start", "les serveurs démarrent"),
    "torture.phase.trouble": ("trouble under load", "des ennuis sous la charge"),
    "torture.phase.finish": ("callers finish", "les appelants finissent"),
    "torture.phase.judge": ("judging by SQL", "jugement par SQL"),
    "torture.fault.lost": (
        "Lost: of request {what} the books do not have what was told: {detail}.",
        "Perdu : de la demande {what}, les livres n'ont pas ce qui a été dit : {detail}.",
    ),
    "torture.fault.doubled": (
        "Doubled: {what} moved more often than it was told: {detail}.",
        "Doublé : {what} a été compté plus souvent qu'il n'a été dit : {detail}.",
    ),
    "torture.fault.oversold": (
        "Oversold: {what}: {detail}.",
        "Survendu : {what} : {detail}.",
    ),
    "torture.fault.drift": (
        "Not balanced: {row}: {detail}",
        "Livres faux : {row} : {detail}",
    ),
    "torture.fault.strange": (
        "Lost: {keys} was answered with what cannot be: {status} {answer}",
        "Perdu : {keys} a reçu une réponse qui ne peut être : {status} {answer}",
    ),
    "torture.fault.other-answer": (
        "Lost: the repeat of {keys} was not answered as before: {status} {answer}",
        "Perdu : la répétition de {keys} n'a pas eu la même réponse : {status} {answer}",
    ),
    "torture.fault.reused": (
        "Doubled: {keys} was accepted for another request: {status} {answer}",
        "Doublé : {keys} a été accepté pour une autre demande : {status} {answer}",
    ),
    "torture.fault.unanswered": (
        "Lost: nobody ever answered {keys}.",
        "Perdu : personne n'a jamais répondu à {keys}.",
    ),
    "torture.view.leave": (
        "Ctrl-C ends it and removes everything.",
        "Ctrl-C y met fin et supprime tout.",
    ),
    "torture.view.callers": ("Callers", "Appelants"),
    "torture.view.troubles": ("Troubles", "Ennuis"),
    "torture.view.last": ("Last troubles", "Derniers ennuis"),
    "torture.view.rate": ("acknowledged/s", "confirmées/s"),
    "torture.view.acknowledged": ("acknowledged", "confirmées"),
    "torture.view.refused": ("refused", "refusées"),
    "torture.view.replayed": ("repeats", "répétitions"),
    "torture.view.in-vain": ("tries in vain", "essais en vain"),
    "torture.view.found": ("faults", "anomalies"),
    "torture.view.servers": ("servers up", "serveurs debout"),
}
