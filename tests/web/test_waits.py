"""After some wrong tries there is a wait, which grows, which has an end, and which nobody can prolong by not waiting."""

from __future__ import annotations

import pytest
from staffing import Clock

from web.staff.waits import Patience, Waits


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(clock: Clock) -> Waits:
    return Waits(Patience(free=3, longest=60, forgotten=600), clock)


def test_the_first_tries_are_free_and_then_each_wait_is_twice_the_last(waits: Waits, clock: Clock) -> None:
    seen = []
    for _ in range(11):
        waits.begin("ben")
        seen.append(waits.left("ben"))
        clock.pass_(seen[-1])
        assert waits.left("ben") == 0
    assert seen == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_others_do_not_wait(waits: Waits) -> None:
    for _ in range(20):
        waits.begin("ben")
    assert (waits.left("ben"), waits.left("aisha")) == (60, 0)


def test_a_long_time_without_a_try_is_forgiven(waits: Waits, clock: Clock) -> None:
    for _ in range(20):
        waits.begin("ben")
    clock.pass_(600)
    waits.begin("ben")
    assert waits.left("ben") == 0


def test_a_right_try_takes_back_itself_or_all(waits: Waits) -> None:
    for _ in range(3):
        waits.begin("ben")
    waits.forgive("ben", all_of_them=False)
    assert waits.left("ben") == 0
    waits.begin("ben")
    assert waits.left("ben") == 1
    waits.forgive("ben", all_of_them=True)
    waits.begin("ben")
    assert waits.left("ben") == 0
    waits.forgive("nobody", all_of_them=False)


def test_of_a_flood_of_names_only_so_many_are_kept(waits: Waits) -> None:
    for number in range(20_100):
        waits.begin(f"name {number}")
    assert len(waits._tries) == 20_000
