"""What an operator's own clock may ask for, where no worker runs."""

from typing import Final

from comptoir.web import shapes_guards as shapes
from comptoir.web.call import Call
from comptoir.web.replies import Reply, ok
from comptoir.web.routing import OPERATORS, Operation

_PDF: Final = "pdf"
_MOST: Final = 10
_NO_STORE: Final = (b"cache-control", b"no-store")


async def process_pdf(call: Call) -> Reply:
    """GET /api/cron/process-pdf: work off at most ten jobs of the queue; workers may do so too."""
    # Loaded when needed: the queue's own code takes longer to load than all of ours.
    from comptoir.jobs.worker import Crew, Worker  # noqa: PLC0415  # slow to load

    app = call.app
    worker = Worker(app.worker_url, app.pool, Crew(app.duties, chance=app.chance))
    return ok({"processed": await worker.work_off(_PDF, _MOST)}, _NO_STORE)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/cron/process-pdf",
        handler=process_pdf,
        summary=("Work off the queue pdf", "Traiter la file pdf"),
        tag="jobs",
        roles=OPERATORS,
        answer=shapes.ProcessedShape,
    ),
)
