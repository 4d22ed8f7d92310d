"""How quickly a rollout's comparison catches harm: the table of `docs/concepts/rollouts.md`.

    .venv/bin/python bench/rollouts/simulate.py [--rollouts 20000]

A second implementation of the tests in `Sources/AloftRollout`, on whole arrays of rollouts at once;
`Tests/AloftRolloutTests` plays fewer of the same scenarios through the first.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy

STEPS = (0.05, 0.25)
HOLD_SECONDS = 60
LONGEST_HOLD = 4
DOUBT = 3.0
FALSE_ALARMS = 0.01
HARMLESS = 0.001
LOOK_SECONDS = 2
REQUESTS_PER_LOOK = 400
RATIOS = numpy.array([1.5, 2, 3, 4.5, 8, 20, 60, 1000])
WEIGHTS = numpy.array([0.12, 0.28, 0.25, 0.15, 0.08, 0.05, 0.04, 0.03])
SCORE_TOLERANCE = 0.2
BUCKETS = 64


@dataclass
class Scenario:
    name: str
    errors: float = 0.005
    error_ratio: float = 1.0
    slow: float = 0.0
    slow_ratio: float = 1.0
    bursts: bool = False
    score_shift: float | None = None


SCENARIOS = [
    Scenario("no errors at all", errors=0),
    Scenario("0.5 % errors, both alike"),
    Scenario("5 % errors, 5 % slow, both alike", errors=0.05, slow=0.05),
    Scenario("both alike, with bursts that hit both", bursts=True),
    Scenario("half as many errors", error_ratio=0.5),
    Scenario("scores alike", score_shift=0.0),
    Scenario("scores 15 % apart, 20 % allowed", score_shift=0.15),
    Scenario("errors 1.5 times", error_ratio=1.5),
    Scenario("errors twice", error_ratio=2),
    Scenario("errors three times", error_ratio=3),
    Scenario("errors ten times", error_ratio=10),
    Scenario("every request fails", error_ratio=1000),
    Scenario("slow requests twice", slow=0.01, slow_ratio=2),
    Scenario("slow requests five times", slow=0.01, slow_ratio=5),
    Scenario("errors three times, with bursts", error_ratio=3, bursts=True),
    Scenario("scores 30 % apart", score_shift=0.3),
    Scenario("scores 40 % apart", score_shift=0.4),
]


class Failures:
    """One comparison of failures, as one bet over all steps."""

    def __init__(self, rollouts: int, part: float) -> None:
        self.needed = -numpy.log(FALSE_ALARMS * part)
        self.earlier = numpy.zeros((rollouts, len(RATIOS)))
        self.earlier_failed = numpy.zeros(rollouts)
        self.earlier_total = numpy.zeros(rollouts)
        self.earlier_expected = numpy.zeros(rollouts)
        self.begin()

    def begin(self) -> None:
        zeros = numpy.zeros_like(self.earlier_total)
        self.failed, self.total = zeros.copy(), zeros.copy()
        self.base_failed, self.base_total = zeros.copy(), zeros.copy()

    def add(self, failed, total, base_failed, base_total) -> None:  # type: ignore[no-untyped-def]
        self.failed += failed
        self.total += total
        self.base_failed += base_failed
        self.base_total += base_total

    def look(self, weight: float):  # type: ignore[no-untyped-def]
        """Which are worse beyond doubt, and which are in doubt."""
        everything = numpy.maximum(self.total + self.base_total, 1)
        share = numpy.maximum(weight, self.total / everything)[:, None]
        odds = share * RATIOS / (share * RATIOS + 1 - share)
        self.now = self.failed[:, None] * numpy.log(odds / share)
        self.now += self.base_failed[:, None] * numpy.log((1 - odds) / (1 - share))
        logs = self.now + self.earlier
        largest = logs.max(axis=1)
        value = largest + numpy.log((numpy.exp(logs - largest[:, None]) * WEIGHTS).sum(axis=1))
        self.expected = self.total * self.base_failed / numpy.maximum(self.base_total, 1)
        total = numpy.maximum(self.earlier_total + self.total, 1)
        excess = self.earlier_failed + self.failed - self.earlier_expected - self.expected
        is_more = excess / total > HARMLESS
        return is_more & (value >= self.needed), is_more & (value >= numpy.log(DOUBT))

    def end(self) -> None:
        self.earlier += self.now
        self.earlier_failed += self.failed
        self.earlier_total += self.total
        self.earlier_expected += self.expected
        self.begin()


class Scores:
    """Kolmogorov and Smirnov's distance with bands that hold at every number of scores."""

    def __init__(self, rollouts: int, part: float, shift: float, random: numpy.random.Generator):
        self.needed = -numpy.log(FALSE_ALARMS * part / len(STEPS))
        self.rollouts = rollouts
        edges = numpy.linspace(0, 2, BUCKETS + 1)
        self.base_shares = numpy.diff(numpy.clip(edges, 0, 1))
        self.shares = numpy.diff(numpy.clip(edges - shift, 0, 1))
        self.random = random
        self.begin()

    def begin(self) -> None:
        self.counts = numpy.zeros((self.rollouts, BUCKETS))
        self.base_counts = numpy.zeros((self.rollouts, BUCKETS))

    def add(self, total, base_total) -> None:  # type: ignore[no-untyped-def]
        self.counts += self.random.multinomial(total, self.shares)
        self.base_counts += self.random.multinomial(base_total, self.base_shares)

    def look(self):  # type: ignore[no-untyped-def]
        count, base = self.counts.sum(axis=1), self.base_counts.sum(axis=1)
        sums = self.counts.cumsum(axis=1) / count[:, None]
        base_sums = self.base_counts.cumsum(axis=1) / base[:, None]
        distance = abs(sums - base_sums).max(axis=1)

        def is_beyond(level: float):  # type: ignore[no-untyped-def]
            bands = sum(
                0.85
                * numpy.sqrt((numpy.log(numpy.log(numpy.e * n)) + 0.8 * (LOG_3224 + level)) / n)
                for n in (count, base)
            )
            return distance - SCORE_TOLERANCE > bands

        return is_beyond(self.needed), is_beyond(float(numpy.log(DOUBT)))


LOG_3224 = float(numpy.log(1612 * 2))


def play(scenario: Scenario, rollouts: int, random: numpy.random.Generator):  # type: ignore[no-untyped-def]
    """Whether each rollout was aborted, after how many seconds it ended, and how many requests the
    candidate had answered by then."""
    errors = Failures(rollouts, 0.5)
    slow = Failures(rollouts, 0.25)
    shift = scenario.score_shift
    scores = None if shift is None else Scores(rollouts, 0.25, shift, random)
    alive = numpy.ones(rollouts, bool)
    seconds = numpy.zeros(rollouts)
    requests = numpy.zeros(rollouts)
    for weight in STEPS:
        inside = alive.copy()
        for second in range(LOOK_SECONDS, HOLD_SECONDS * LONGEST_HOLD + 1, LOOK_SECONDS):
            mine = numpy.where(inside, random.binomial(REQUESTS_PER_LOOK, weight, rollouts), 0)
            theirs = numpy.where(inside, REQUESTS_PER_LOOK - mine, 0)
            burst = numpy.where(random.random(rollouts) < 0.1, 20, 1) if scenario.bursts else 1

            def draw(count, rate, ratio=1.0, burst=burst):  # type: ignore[no-untyped-def]
                return random.binomial(count, numpy.minimum(1, rate * ratio * burst))

            errors.add(
                draw(mine, scenario.errors, scenario.error_ratio),
                mine,
                draw(theirs, scenario.errors),
                theirs,
            )
            slow.add(
                draw(mine, scenario.slow, scenario.slow_ratio),
                mine,
                draw(theirs, scenario.slow),
                theirs,
            )
            seconds += LOOK_SECONDS * inside
            requests += mine
            worse, doubt = errors.look(weight)
            for other in (
                slow.look(weight),
                *([] if scores is None else [look(scores, mine, theirs)]),
            ):
                worse, doubt = worse | other[0], doubt | other[1]
            alive &= ~(inside & worse)
            inside &= ~worse
            if second >= HOLD_SECONDS:
                inside &= doubt
            if not inside.any():
                break
        errors.end()
        slow.end()
        if scores is not None:
            scores.begin()
    return ~alive, seconds, requests


def look(scores: Scores, mine, theirs):  # type: ignore[no-untyped-def]
    scores.add(mine, theirs)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        return scores.look()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=20_000)
    count = parser.parse_args().rollouts
    print("| Candidate | Aborted | Within two minutes | Its requests | Time | Others took |")
    print("| --- | --- | --- | --- | --- | --- |")
    for number, scenario in enumerate(SCENARIOS):
        random = numpy.random.default_rng(number)
        rollouts = count if scenario.score_shift is None else max(count // 10, 1)
        aborted, seconds, requests = play(scenario, rollouts, random)
        shares = (aborted.mean(), (aborted & (seconds <= 120)).mean())
        parts = [scenario.name, *(f"{share:.2%}".replace("%", " %") for share in shares)]
        if aborted.mean() > 0.02:
            parts += [f"{numpy.median(requests[aborted]):.0f}"]
            parts += [f"{numpy.median(seconds[aborted]):.0f} s"]
        else:
            parts += ["-", "-"]
        parts += [f"{seconds[~aborted].mean():.0f} s" if (~aborted).any() else "-"]
        print("| " + " | ".join(parts) + " |", flush=True)


if __name__ == "__main__":
    main()
