"""The texts of the doctor but for its findings: a part of the table in texts.py."""

from typing import Final

from comptoir.web.languages import Texts

DOCTOR: Final[dict[str, Texts]] = {
    "help.doctor": (
        "Look at the database, the home and the settings; each fault comes with its fix.",
        "Examiner la base, le dossier et les réglages ; chaque défaut vient avec son remède.",
    ),
    "doctor.ok": ("ok", "bien"),
    "doctor.warning": ("warning", "attention"),
    "doctor.failed": ("FAILED", "ÉCHEC"),
    "doctor.fix": ("-> {fix}", "-> {fix}"),
    "doctor.sum": (
        "Checks: {checks}; failed: {failed}; warnings: {warnings}.",
        "Contrôles : {checks} ; échecs : {failed} ; avertissements : {warnings}.",
    ),
}
