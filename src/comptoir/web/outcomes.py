"""A refusal of the ledger as an answer."""

from comptoir.domains.credits.refusals import code_of, is_kept
from comptoir.kit.amounts import format_amount
from comptoir.ledger.model import Answer
from comptoir.store.facts import Asset
from comptoir.web.call import Call
from comptoir.web.replies import REPLAYED, Reply
from comptoir.web.routing import problem


def figures(answer: Answer, asset: Asset) -> dict[str, object]:
    """What the texts of a refusal need, and what its document shows."""
    shown: dict[str, object] = {}
    if answer.needed is not None:
        shown["needed"] = format_amount(answer.needed, asset.scale)
    if answer.available is not None:
        shown["available"] = format_amount(answer.available, asset.scale)
    if answer.field is not None:
        shown["field"] = answer.field
    if is_kept(answer.outcome):
        shown["retry"] = "new-key"
    return shown


def refusal(call: Call, answer: Answer, asset: Asset) -> Reply:
    """The problem that an outcome is."""
    code = code_of(answer.outcome, asset.code)
    assert code is not None, "success has a line"
    reply = problem(call, code, figures(answer, asset))
    if answer.replayed:
        reply.headers.append(REPLAYED)
    return reply
