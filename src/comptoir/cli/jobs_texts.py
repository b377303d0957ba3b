"""Texts of `comptoir job` and `comptoir worker`."""

from typing import Final

from comptoir.web.languages import Texts

JOBS: Final[dict[str, Texts]] = {
    "help.job": ("Jobs: what waits, what is dead.", "Les tâches : en attente, mortes."),
    "help.job.list": (
        "Show jobs, the newest first.",
        "Montrer les tâches, les plus récentes d'abord.",
    ),
    "help.job.show": ("Show a job.", "Montrer une tâche."),
    "help.job.retry": (
        "Let a job that is dead, was cancelled or has failed be tried now.",
        "Relancer maintenant une tâche morte, annulée ou échouée.",
    ),
    "help.job.cancel": ("Keep a job from being done.", "Empêcher qu'une tâche soit faite."),
    "help.worker": (
        "Do the jobs of an application until asked to end.",
        "Faire les tâches d'une application jusqu'à l'ordre d'arrêt.",
    ),
    "option.job-id": ("The job.", "La tâche."),
    "option.job-status": (
        "Only those that are pending, running, succeeded, failed, dead or cancelled.",
        "Seulement celles qui sont pending, running, succeeded, failed, dead ou cancelled.",
    ),
    "option.job-queue": ("Only those of a queue.", "Seulement celles d'une file."),
    "option.job-type": ("Only those of a type.", "Seulement celles d'un type."),
    "option.jobs": (
        "Where the application's Jobs are, as shop.jobs:jobs.",
        "Où sont les Jobs de l'application, comme boutique.jobs:jobs.",
    ),
    "option.concurrency": ("Jobs that are done at a time.", "Tâches faites en même temps."),
    "column.job-id": ("id", "id"),
    "column.job-type": ("type", "type"),
    "column.job-status": ("status", "état"),
    "column.job-attempts": ("attempts", "essais"),
    "column.job-run_at": ("not before", "pas avant"),
    "column.job-error": ("error", "erreur"),
    "job.shown": (
        "{id}: {type}, {status}, {attempts} failed attempts {error}",
        "{id} : {type}, {status}, {attempts} essais échoués {error}",
    ),
    "worker.ready": ("Doing jobs of type {types}.", "Tâches faites ici : {types}."),
    "worker.done": ("{type} {id}: done.", "{type} {id} : faite."),
    "worker.failed": (
        "{type} {id}: attempt {attempt} failed ({error}); it will be tried again.",
        "{type} {id} : essai {attempt} échoué ({error}) ; elle sera retentée.",
    ),
    "worker.dead": (
        "{type} {id}: attempt {attempt} failed ({error}); that was the last one.",
        "{type} {id} : essai {attempt} échoué ({error}) ; c'était le dernier.",
    ),
    "worker.away": (
        "The database is away ({error}); trying again.",
        "La base de données est absente ({error}) ; nouvel essai.",
    ),
    "worker.letter": (
        "No e-mail server is configured: the letter is in {file}.",
        "Aucun serveur de courriel configuré : la lettre est dans {file}.",
    ),
    "worker.ending": (
        "Ending: what is being done may end first.",
        "Arrêt : ce qui est en cours peut finir d'abord.",
    ),
}
