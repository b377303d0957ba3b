"""What is said when spans or errors are to be sent and cannot be."""

from typing import Final

from comptoir.web.languages import Texts

OBSERVING: Final[dict[str, Texts]] = {
    "error.extra-missing": (
        (
            "{variable} is set, but the packages that it needs are not installed. Install them "
            "(pip install 'comptoir[{extra}]'), or unset it."
        ),
        (
            "{variable} a une valeur, mais les paquets nécessaires ne sont pas installés. "
            "Installez-les (pip install 'comptoir[{extra}]') ou retirez la variable."
        ),
    ),
    "error.sentry-dsn-invalid": (
        "SENTRY_DSN is no address of a Sentry project: https://KEY@HOST/PROJECT.",
        "SENTRY_DSN n'est pas l'adresse d'un projet Sentry : https://CLE@HOTE/PROJET.",
    ),
    "error.traces-exporter-unknown": (
        "OTEL_TRACES_EXPORTER is {said}; spans are sent by otlp only. Say otlp, or none.",
        (
            "OTEL_TRACES_EXPORTER vaut {said} ; les traces ne partent que par otlp. Dites otlp "
            "ou none."
        ),
    ),
    "error.traces-protocol-unknown": (
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL is {said}; spans are sent by http/protobuf only. Say "
            "that, with the port that the collector has for it (4318 as a rule), or unset it."
        ),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL vaut {said} ; les traces ne partent que par "
            "http/protobuf. Dites-le, avec le port que le collecteur lui réserve (4318 en "
            "général), ou retirez la variable."
        ),
    ),
}
