"""Fingerprints tell requests apart and name the first field that differs."""

from itertools import count
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.ledger.fingerprint import FIELDS, differing_field, fingerprint

VALUES = st.one_of(st.integers(), st.text(max_size=20))
REQUESTS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8).map(
    lambda fields: [(name, fields[name]) for name in FIELDS if name in fields]
)


@given(REQUESTS)
def test_none_is_as_good_as_absent(fields: list[tuple[str, object]]):
    present = dict(fields)
    padded = [(name, present.get(name)) for name in FIELDS]
    assert fingerprint(padded) == fingerprint(fields)


@given(REQUESTS, REQUESTS)
def test_other_requests_have_other_fingerprints(
    one: list[tuple[str, object]], other: list[tuple[str, object]]
):
    told = [[(name, str(value)) for name, value in fields] for fields in (one, other)]
    assert (fingerprint(one) == fingerprint(other)) == (told[0] == told[1])


@pytest.mark.parametrize("name", FIELDS)
def test_the_field_that_differs_is_named(name: str):
    before = fingerprint([(each, "same") for each in FIELDS])
    for value in ("another", None):
        now = fingerprint([(each, value if each == name else "same") for each in FIELDS])
        assert differing_field(before, now) == name
        assert differing_field(now, before) == name


def test_the_first_of_several_is_named():
    one = fingerprint([("op", "spend"), ("amount", 1), ("reason", "a")])
    other = fingerprint([("op", "spend"), ("amount", 2), ("reason", "b")])
    assert differing_field(one, other) == "amount"


def test_no_field_is_named_when_checksums_collide():
    first = crc32(b"0") & 0xFFFF
    twin = next(n for n in count(1) if crc32(str(n).encode()) & 0xFFFF == first)
    one, other = fingerprint([("amount", 0)]), fingerprint([("amount", twin)])
    assert one != other
    assert differing_field(one, other) == "request"


def test_positions_are_stored_so_none_may_move():
    assert FIELDS[:9] == (
        "op",
        "customer",
        "account",
        "from",
        "to",
        "asset",
        "hold",
        "movement",
        "amount",
    )
    assert len(FIELDS) == len(set(FIELDS)) <= 256


def test_values_do_not_run_into_each_other():
    assert fingerprint([("customer", "a1"), ("account", "2")]) != fingerprint(
        [("customer", "a"), ("account", "12")]
    )
    assert fingerprint([("reason", "3:a")]) != fingerprint([("reference", "3:a")])
