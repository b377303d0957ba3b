"""How a worker takes its next job: ours, for the queue's own way is slow and misses announcements.

Its statement reads past every waiting job of other types. And it forgets whatever is announced
while it looks, so that a job which comes in at that moment waits for the next poll: a second, for
about one job in thirty that were enqueued one after the other.
"""

from collections.abc import Iterable

from procrastinate import jobs, manager

from comptoir.jobs import sql


class Fetching(manager.JobManager):
    """The queue's own, but for how jobs are fetched.

    Attributes:
        heard: how many announcements there were.
    """

    heard = 0

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> jobs.Job | None:
        """The next job, leased to a worker; None when none is waiting and none was announced."""
        while True:  # another time only for what was announced meanwhile
            before = self.heard
            rows = await self.connector.execute_query_all_async(
                query=sql.FETCH, places=list(queues or ()), worker_id=worker_id
            )
            if rows:
                return jobs.Job.from_row(rows[0])
            if self.heard == before:
                return None

    async def listen_for_jobs(
        self, *, on_notification: manager.NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Hear of new jobs, and count how often."""

        async def counted(*, channel: str, notification: jobs.Notification) -> None:
            self.heard += 1
            await on_notification(channel=channel, notification=notification)

        await super().listen_for_jobs(on_notification=counted, queues=queues)
