"""The texts of the pages about jobs."""

from typing import Final

from comptoir.web.languages import Texts

WORKS: Final[dict[str, Texts]] = {
    "works.all": ("All", "Toutes"),
    "works.none": ("No job here.", "Aucune tâche ici."),
    "works.how": (
        "A job is what is done later: a letter, a document, whatever your program enqueues.",
        (
            "Une tâche est ce qui se fait plus tard : une lettre, un document, ce que votre "
            "programme met en file."
        ),
    ),
    "works.looked": (
        "Of {n} jobs looked at on this page.",
        "Sur {n} tâches parcourues sur cette page.",
    ),
    "works.reason": ("Reason, for whichever button below", "Motif, pour tout bouton ci-dessous"),
    "works.retry-dead": (
        "Try all of these again (at most {n} at a time)",
        "Tout retenter (au plus {n} à la fois)",
    ),
    "works.schedule": ("Schedule", "Calendrier"),
    "works.cron": ("Cron line", "Ligne cron"),
    "works.last": ("Last run", "Dernier passage"),
    "works.next": ("Next run", "Prochain passage"),
    "work.pending": ("waiting", "en attente"),
    "work.running": ("running", "en cours"),
    "work.succeeded": ("done", "réussie"),
    "work.failed": ("to be tried again", "à retenter"),
    "work.dead": ("dead", "morte"),
    "work.cancelled": ("cancelled", "annulée"),
    "work.when": ("Due or ended", "Prévue ou finie"),
    "work.due": ("due", "prévue"),
    "work.now": ("now", "maintenant"),
    "work.ended": ("Ended", "Finie"),
    "work.error": ("Last error", "Dernière erreur"),
    "work.of": ("{n} failed, of {most} at most", "{n} échouées, sur {most} au plus"),
    "work.do": ("Actions", "Actions"),
    "work.retry": ("Retry", "Retenter"),
    "work.cancel": ("Cancel", "Annuler"),
    "work.result": ("Result", "Résultat"),
    "work.happened": ("Tries, and what happened", "Tentatives et événements"),
    "worked.try": ("A try failed: {error}", "Une tentative a échoué : {error}"),
    "worked.deferred": ("enqueued", "mise en file"),
    "worked.started": ("a try begins", "une tentative commence"),
    "worked.deferred_for_retry": ("waits to be tried again", "attend d'être retentée"),
    "worked.failed": ("is dead", "est morte"),
    "worked.succeeded": ("done", "réussie"),
    "worked.cancelled": ("cancelled", "annulée"),
    "worked.abort_requested": ("is to be interrupted", "doit être interrompue"),
    "worked.aborted": ("interrupted", "interrompue"),
    "worked.scheduled": ("set for a later time", "prévue pour plus tard"),
    "worked.retried": ("tried again by hand", "retentée à la main"),
    "done.cancelled-job": ("The job is cancelled.", "La tâche est annulée."),
    "done.retried-all": (
        "Those that could be are tried again, at most 100 at a time.",
        "Celles qui pouvaient l'être sont retentées, au plus 100 à la fois.",
    ),
    "done.retried-none": ("None of them could be tried again.", "Aucune n'a pu être retentée."),
}
