"""Going on to a page of the provider's."""

from comptoir.web.pages.look import GUARDED
from comptoir.web.portal.look import origin_of
from comptoir.web.portal.visits import Visit
from comptoir.web.replies import Reply


def leave(visit: Visit, address: str) -> Reply:
    """Send the browser there; where it would not follow a form, show a link.

    Browsers hold a form's redirects to what the page's policy names, and a seller's own domain at
    the provider is not known before.
    """
    if origin_of(address) in visit.look.leads:
        location = (b"location", address.encode("ascii", "ignore"))
        return Reply(303, b"", b"text/plain", [location, *GUARDED])
    return visit.page("leave.html", address=address)
