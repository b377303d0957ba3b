"""Whatever an event can do, and whatever needs a human, has its words in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from comptoir import flows
from comptoir.domains.payments.model import FAULTS
from comptoir.flows.fulfilling import AUTOMATIC
from comptoir.web import words_payments

FLOWS = sorted(Path(str(flows.__file__)).parent.glob("*.py"))


def said(method: str, place: int) -> Iterator[str]:
    """Every literal that flows give a method at one place."""
    for path in FLOWS:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func).endswith(method) and len(node.args) > place:
                given = node.args[place]
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield given.value


EFFECTS = sorted(set(said("effects.add", 0)))
CASES = sorted({*said("till.open_case", 2), *FAULTS, *AUTOMATIC})


def test_the_scan_sees_them() -> None:
    assert {"sold", "released", "extended", "kept", "restocked", "sent-back", "order"} <= {*EFFECTS}
    assert {"late-payment", "wrong-payment", "refund-refused", "refund-failed-restocked"} <= {
        *CASES
    }


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_has_words(effect: str) -> None:
    texts = {
        words_payments.effects([{"effect": effect}], language) for language in ("en", "fr")
    } - {effect}
    assert len(texts) == 2


@pytest.mark.parametrize("kind", CASES)
def test_a_case_has_words(kind: str) -> None:
    texts = {words_payments.case(kind, language) for language in ("en", "fr")} - {kind}
    assert len(texts) == 2


def test_a_sale_in_words() -> None:
    done = [{"effect": "sold", "order": "7", "number": "ORD-2026-000001", "units": 3}]
    assert words_payments.effects(done, "en") == "the order 7 is sold as ORD-2026-000001: 3 units"
    back = [{"effect": "sent-back", "payment": "7", "amount": 2550, "currency": "eur"}]
    assert words_payments.effects(back, "fr") == (
        "25,50 EUR remboursés d'office pour le paiement 7"
    )
