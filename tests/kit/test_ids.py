"""Identifiers: the same from the same key, readable back, in the order of time."""

from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kit.ids import (
    ID_BYTES,
    RANDOM_BYTES,
    hold_name,
    movement_name,
    parse_hold,
    parse_movement,
    request_id,
    scoped_key,
    uuid7,
)

STORED = "a25c0f2814d0c04b01c25587af732fd6"
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=255)
BOOKS = st.integers(1, 2**31 - 1)


@given(BOOKS, KEYS)
def test_a_key_of_a_book_is_one_id(book: int, key: str):
    assert request_id(book, key) == request_id(book, key)
    assert len(request_id(book, key)) == ID_BYTES


@given(BOOKS, KEYS, BOOKS, KEYS)
def test_other_keys_and_other_books_are_other_ids(book: int, key: str, other: int, another: str):
    same = (book, key) == (other, another)
    assert (request_id(book, key) == request_id(other, another)) is same


def test_ids_are_stored_so_they_may_never_change():
    assert request_id(1, "order-1").hex() == STORED


@given(st.integers(1, 2**53), KEYS, KEYS)
def test_a_customers_key_meets_nobody_elses(customer: int, key: str, other: str):
    assert scoped_key(customer, key) != other
    assert (scoped_key(customer, key) == scoped_key(customer, other)) is (key == other)


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES))
def test_holds_are_read_back(hold: bytes):
    assert parse_hold(hold_name(hold)) == hold


@given(st.integers(1, 10**18 - 1), st.integers(1, 10**18 - 1))
def test_movements_are_read_back(account: int, version: int):
    assert parse_movement(movement_name(account, version)) == (account, version)


HEX = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "name",
    ["", "hold_", HEX, f"hold_{HEX[1:]}", f"hold_{HEX}0", f"hold_{HEX.upper()}", f"hold_{HEX}\n"],
)
def test_these_are_no_holds(name: str):
    assert parse_hold(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "mv_1", "mv_1_", "mv_0_1", "mv_1_0", "mv_01_1", "mv_-1_1", "mv_1_1\n", "mv_1_٣",
     f"mv_1_{10**18}", f"mv_{10**18}_1", "mv_1_1_1"],
)  # fmt: skip
def test_these_are_no_movements(name: str):
    assert parse_movement(name) is None


MOMENTS = st.integers(0, 2**48 * 1000 - 1)
RANDOMNESS = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(MOMENTS, RANDOMNESS)
def test_a_uuid7_says_its_version_and_time(now: int, randomness: bytes):
    made = uuid7(now, randomness)
    assert made.version == 7
    assert made.variant == RFC_4122
    assert int.from_bytes(made.bytes[:6], "big") == now // 1000


@given(MOMENTS, MOMENTS, RANDOMNESS, RANDOMNESS)
def test_uuid7s_sort_by_time(first: int, then: int, one: bytes, other: bytes):
    if first // 1000 < then // 1000:
        assert uuid7(first, one) < uuid7(then, other)


@given(MOMENTS, RANDOMNESS, RANDOMNESS)
def test_uuid7s_of_one_moment_differ_by_their_randomness(now: int, one: bytes, other: bytes):
    kept = [bytes([r[0] & 0x0F, r[1], r[2] & 0x3F, *r[3:]]) for r in (one, other)]
    assert (uuid7(now, one) == uuid7(now, other)) is (kept[0] == kept[1])


def test_a_uuid7_wants_all_of_its_randomness():
    with pytest.raises(AssertionError):
        uuid7(0, b"too short")
