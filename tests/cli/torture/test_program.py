"""What callers ask: a pure function of the seed and their number, with every verb in it."""

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from comptoir.cli.throwaway import BOOK
from comptoir.cli.torture.program import (
    ARTICLES,
    BATCH,
    HOT,
    REMEMBERED,
    Ask,
    Job,
    Manner,
    opening,
    program,
    reused,
)
from comptoir.cli.torture.schedule import LOCKABLE
from comptoir.kit.ids import parse_hold, request_id
from comptoir.web.api.batch import BatchBody
from comptoir.web.api.credits import (
    CaptureBody,
    GrantBody,
    HoldBody,
    ReleaseBody,
    SpendBody,
    TransferBody,
)

SEEDS = st.integers(0, 2**32 - 1)
JOBS = 200
BODIES: dict[str, type[BaseModel]] = {
    "grant": GrantBody,
    "spend": SpendBody,
    "holds": HoldBody,
    "capture": CaptureBody,
    "release": ReleaseBody,
    "transfer": TransferBody,
    "batch": BatchBody,
}


def jobs(seed: int, caller: int, many: int = JOBS) -> list[Job]:
    return list(islice(program(seed, caller), many))


def new(found: list[Job]) -> list[Ask]:
    return [step.ask for job in found for step in job if step.manner is Manner.NEW]


def verbs(seed: int, caller: int) -> list[tuple[str, ...]]:
    return [ask.ops for ask in new(jobs(seed, caller))]


@given(SEEDS)
def test_the_same_seed_makes_the_same_program(seed: int):
    assert jobs(seed, 3) == jobs(seed, 3)
    assert jobs(seed, 3) != jobs(seed, 4)
    assert jobs(seed, 3) != jobs(seed + 1, 3)
    assert verbs(seed, 3) != verbs(seed, 4), "not only their keys differ"


@given(SEEDS)
def test_no_key_is_used_for_two_requests(seed: int):
    asks = [*new([opening()]), *new(jobs(seed, 0)), *new(jobs(seed, 1))]
    keys = [key for ask in asks for key in ask.keys]
    assert len(keys) == len(set(keys))


@given(SEEDS)
def test_repeats_reach_back_to_what_was_asked_before(seed: int):
    asked: list[Ask] = []
    for job in jobs(seed, 2):
        for step in job:
            if step.manner is Manner.NEW:
                asked.append(step.ask)
            else:
                assert step.ask in asked[-REMEMBERED:]


@given(SEEDS)
def test_a_job_on_a_hold_names_the_hold_that_it_made(seed: int):
    for job in jobs(seed, 1):
        if any(step.manner is not Manner.NEW for step in job):
            continue
        made = {id_ for step in job for id_ in step.ask.ids}
        for step in job[1:]:
            assert parse_hold(step.ask.path.split("/")[-2]) in made


@given(SEEDS)
def test_the_api_could_take_every_body(seed: int):
    for ask in [*new([opening()]), *new(jobs(seed, 5))]:
        BODIES[ask.path.rpartition("/")[2]].model_validate(ask.body)


@given(SEEDS)
def test_the_other_request_with_the_same_key_could_be_taken_too(seed: int):
    singles = [ask for ask in new(jobs(seed, 6)) if ask.path != BATCH]
    for ask in singles:
        other = reused(ask)
        assert (other.keys, other.path) == (ask.keys, ask.path)
        assert other.body != ask.body
        BODIES[ask.path.rpartition("/")[2]].model_validate(other.body)


def test_callers_do_everything_that_they_are_to_do():
    steps = [step for caller in range(8) for job in jobs(1, caller, 400) for step in job]
    manners = Counter(step.manner for step in steps)
    assert min(manners[manner] for manner in Manner) > 50
    asks = [step.ask for step in steps if step.manner is Manner.NEW]
    verbs = Counter(ask.ops for ask in asks)
    assert set(verbs) == {
        ("grant",),
        ("spend",),
        ("hold",),
        ("capture",),
        ("release",),
        ("transfer",),
        ("spend", "spend"),
        ("hold", "hold"),
    }
    assert min(verbs.values()) > 20
    captures = [ask.body for ask in asks if ask.ops == ("capture",)]
    assert any("final" in body for body in captures), "in part"
    assert any(step.rest > 1 for step in steps), "late"


@pytest.mark.parametrize("name", [*HOT, *ARTICLES])
def test_what_everybody_wants_is_there_from_the_beginning(name: str):
    assert sum(name in str(step.ask.body) for step in opening()) == 1


def test_a_stranger_finds_all_rows_that_callers_share():
    assert len(HOT) + len(ARTICLES) == LOCKABLE


def test_ids_are_those_of_the_book():
    [ask] = [step.ask for step in opening()][:1]
    assert ask.ids == (request_id(BOOK, ask.keys[0]),)
