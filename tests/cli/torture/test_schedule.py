"""The schedule of troubles: a pure function of the seed, and never too little of any trouble."""

import json

from hypothesis import given
from hypothesis import strategies as st

from comptoir.cli.torture.schedule import SORTS, STREAMS, Kind, Trouble, digest, schedule
from comptoir.cli.torture.troubles import PLAYS
from comptoir.store.embedded import watcher
from tests.cli.conftest import Inside

SEEDS = st.integers(0, 2**32 - 1)
MINUTE = 60


def kills(troubles: tuple[Trouble, ...]) -> list[Trouble]:
    return [trouble for trouble in troubles if SORTS[trouble.kind].kills]


@given(SEEDS)
def test_the_same_seed_makes_the_same_schedule(seed: int):
    first, second = schedule(seed, MINUTE), schedule(seed, MINUTE)
    assert first == second
    assert digest(first) == digest(second)


@given(SEEDS)
def test_another_seed_makes_another_one(seed: int):
    assert digest(schedule(seed, MINUTE)) != digest(schedule(seed + 1, MINUTE))


@given(SEEDS)
def test_a_longer_run_begins_as_a_shorter_one(seed: int):
    short, long = schedule(seed, MINUTE), schedule(seed, 3 * MINUTE)
    assert long[: len(short)] == short


@given(SEEDS)
def test_every_kind_occurs_within_a_minute(seed: int):
    assert {trouble.kind for trouble in schedule(seed, MINUTE)} == set(Kind)


@given(SEEDS)
def test_there_are_enough_kills_in_every_minute(seed: int):
    moments = [trouble.at for trouble in kills(schedule(seed, 10 * MINUTE))]
    assert len(moments) >= 200 + 20, "the issue asks for 200; some victims may be dead already"
    for minute in range(10):
        begin = minute * MINUTE * 1_000
        assert sum(begin <= at < begin + MINUTE * 1_000 for at in moments) >= 23


@given(SEEDS)
def test_it_is_in_order_and_names_victims_that_there_are(seed: int):
    troubles = schedule(seed, MINUTE)
    assert list(troubles) == sorted(troubles, key=lambda trouble: trouble.at)
    for trouble in troubles:
        sort = SORTS[trouble.kind]
        assert 0 <= trouble.at < MINUTE * 1_000
        assert 0 <= trouble.victim < sort.victims
        assert trouble.figure in sort.figures


@given(SEEDS)
def test_no_server_is_killed_three_times_before_another_is(seed: int):
    victims = [t.victim for t in kills(schedule(seed, MINUTE)) if SORTS[t.kind].victims == 4]
    assert all(len(set(victims[n : n + 3])) > 1 for n in range(len(victims) - 2))


@given(SEEDS)
def test_postgres_dies_less_often_than_its_watcher_bears(seed: int):
    moments = [t.at for t in schedule(seed, 10 * MINUTE) if t.kind is Kind.KILL_POSTGRES]
    window = watcher._STARTS_SECONDS * 1_000
    most = max(sum(begin <= at < begin + window for at in moments) for begin in moments)
    assert most < watcher._STARTS


def test_every_kind_is_described_dealt_and_played():
    dealt = {kind for stream in STREAMS.values() for kind in stream.deck}
    assert set(SORTS) == set(PLAYS) == dealt == set(Kind)


def test_the_command_shows_it(inside_bare: Inside):
    shown = [inside_bare("torture", "--seed", "7", "--schedule", "--json") for _ in range(2)]
    assert [each.code for each in shown] == [0, 0]
    assert shown[0].out == shown[1].out
    said = json.loads(shown[0].out)
    troubles = schedule(7, MINUTE)
    assert (said["seed"], said["seconds"], said["digest"]) == (7, MINUTE, digest(troubles))
    assert said["troubles"] == [trouble.as_json() for trouble in troubles]


def test_the_command_shows_it_in_words(inside_bare: Inside):
    english = inside_bare("torture", "--seed", "7", "--minutes", "2", "--schedule")
    french = inside_bare(
        "torture", "--seed", "7", "--minutes", "2", "--schedule", COMPTOIR_LOCALE="fr"
    )
    assert english.code == french.code == 0
    mark = digest(schedule(7, 2 * MINUTE))
    assert english.out.splitlines()[-1].endswith(f"schedule {mark}.")
    assert french.out.splitlines()[-1].endswith(f"programme {mark}.")
    assert "PostgreSQL killed" in english.out
    assert "PostgreSQL tué" in french.out


def test_without_a_seed_one_is_drawn(inside_bare: Inside):
    shown = [json.loads(inside_bare("torture", "--schedule", "--json").out) for _ in range(2)]
    assert shown[0]["digest"] != shown[1]["digest"]
