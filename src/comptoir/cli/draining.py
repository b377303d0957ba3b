"""How a connection ends when its server does: no request on it fails.

uvicorn closes connections that rest as soon as it is asked to end; a request that is on its way
then meets a closed door. Here each connection is told with its next answer, and whoever asks
nothing any more is left to the keep-alive timeout, as on any other day.
"""

from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from comptoir.web.server import ENDING

IDLE_SECONDS: Final = 5
"""How long a connection may rest, on any day."""

_CLOSE: Final = (b"connection", b"close")


class Draining(HttpToolsProtocol):
    """One connection of the server."""

    def shutdown(self) -> None:
        """Called once for every connection, when the server has stopped to accept others."""
        ending = self.app_state.get(ENDING)
        if ending is not None:
            ending()
        state = self.server_state
        if _CLOSE not in state.default_headers:
            state.default_headers = [*state.default_headers, _CLOSE]
        cycle = cast("RequestResponseCycle | None", self.cycle)  # uvicorn says it is never None
        if cycle is None:  # it has never asked anything
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif not cycle.response_started:
            cycle.keep_alive = False  # which the answer's own header says
