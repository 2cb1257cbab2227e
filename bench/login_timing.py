"""Whether the time of a refused log-in tells known accounts from unknown ones.

    python -m bench.login_timing --samples 200
    python -m bench.login_timing --samples 2000 --rounds 4

tries wrong passwords over HTTP for four names in random order, two of accounts and two of nobody.
It compares the medians of known and unknown names with those between the two names of a kind, and
says how often a random division of the same samples differs as much (a permutation test, after
Good, Permutation Tests, 2000): a p-value well above 0.05 means that nothing was to be seen.

With the 12 rounds of production bcrypt's own noise hides much. With 4 rounds it is small, and what
the rest of the work might tell would show best.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from itertools import chain
from pathlib import Path
from statistics import median

import httpx

from db.embedded import EmbeddedPostgres
from db.migrate import upgrade
from settings import Settings
from tests.support.server import running_server

PERMUTATIONS = 5_000
WARM_UP = 5
ENDLESS = 10**6
KNOWN = ("known-1@example.org", "known-2@example.org")
UNKNOWN = ("nobody-1@example.org", "nobody-2@example.org")


async def measure(client: httpx.AsyncClient, samples: int) -> dict[str, list[float]]:
    """Milliseconds of `samples` refusals of each name, taken in random order."""
    taken: dict[str, list[float]] = {name: [] for name in KNOWN + UNKNOWN}
    for turn in range(-WARM_UP, samples):
        for name in random.sample(list(taken), len(taken)):
            body = {"email": name, "password": "a guess or so"}
            begun = time.perf_counter()
            answer = await client.post("/api/auth/login", json=body)
            elapsed = (time.perf_counter() - begun) * 1000
            assert answer.status_code == 401, answer.text
            if turn >= 0:
                taken[name].append(elapsed)
    return taken


def p_value(one: list[float], other: list[float]) -> float:
    """How often a random division of all samples has medians as far apart as these two groups."""
    apart, everything, as_much = abs(median(one) - median(other)), one + other, 0
    for _ in range(PERMUTATIONS):
        random.shuffle(everything)
        as_much += abs(median(everything[: len(one)]) - median(everything[len(one) :])) >= apart
    return (as_much + 1) / (PERMUTATIONS + 1)


def report(taken: dict[str, list[float]]) -> None:
    """Print the medians, the differences and how likely those are by chance."""
    for name, times in taken.items():
        quarter = sorted(times)[len(times) // 4], sorted(times)[3 * len(times) // 4]
        print(
            f"{name:22} median {median(times):8.3f} ms, half of all within {quarter[0]:.3f} "
            f"to {quarter[1]:.3f}"
        )
    known = list(chain.from_iterable(taken[name] for name in KNOWN))
    unknown = list(chain.from_iterable(taken[name] for name in UNKNOWN))
    for said, one, other in (
        ("known against unknown", known, unknown),
        ("known against known", taken[KNOWN[0]], taken[KNOWN[1]]),
        ("unknown against unknown", taken[UNKNOWN[0]], taken[UNKNOWN[1]]),
    ):
        apart = median(one) - median(other)
        print(f"{said:24} {apart:+7.3f} ms, p = {p_value(one, other):.3f}")


async def run(settings: Settings, samples: int) -> None:
    """Measure a real server."""
    async with running_server(settings) as server:
        for name in KNOWN:
            body = {"email": name, "password": "long enough"}
            (await server.client.post("/api/auth/register", json=body)).raise_for_status()
        report(await measure(server.client, samples))


def main() -> None:
    """Start a database, and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=200, help="refusals of each of four names")
    parser.add_argument("--rounds", type=int, default=12, help="bcrypt's cost")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder))
        try:
            dsn = postgres.start()
            asyncio.run(upgrade(dsn))
            settings = Settings(
                data_dir=Path(folder),
                database_url=dsn,
                jwt_secret="nothing but a secret of a benchmark",
                bcrypt_rounds=given.rounds,
                rate_limit_anonymous_max=ENDLESS,
                login_attempts_max=ENDLESS,
            )
            asyncio.run(run(settings, given.samples))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
