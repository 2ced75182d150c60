"""Kills what it is given, at random, and counts what it did."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil

Victim = tuple[str, int | None]  # the name of a process, and its number while it lives


@dataclass
class Chaos:
    """SIGKILL for a random process every 1-3 s; the given disasters at their moments."""

    victims: Callable[[], Sequence[Victim]]  # who lives now; always in the same order
    seconds: float
    disasters: Sequence[tuple[float, str, Callable[[], None]]]  # (share of the time, name, what to do)
    seed: int = 7
    struck: Counter[str] = field(default_factory=Counter)
    _next: list[str] = field(default_factory=list)

    def rage(self) -> None:
        """Run for ``seconds``; returns when the last disaster is over."""
        chance = random.Random(self.seed)
        self._next = []
        began = time.monotonic()
        waiting = sorted(self.disasters, key=lambda disaster: disaster[0])
        while (spent := time.monotonic() - began) < self.seconds:
            if waiting and spent > waiting[0][0] * self.seconds:
                _, name, strike = waiting.pop(0)
                strike()
                self.struck[name] += 1
            else:
                self._kill_one(chance)
            time.sleep(chance.uniform(1, 3))
        for _, name, strike in waiting:
            strike()
            self.struck[name] += 1

    def _kill_one(self, chance: random.Random) -> None:
        # Drawn without putting back, so that nobody is spared by chance.
        living = dict(self.victims())
        if not self._next:
            self._next = chance.sample(list(living), len(living))
        name = self._next.pop()
        if (pid := living.get(name)) is None:
            return
        try:
            family = psutil.Process(pid)
            for process in [*family.children(recursive=True), family]:
                process.kill()
            self.struck[name] += 1
        except psutil.NoSuchProcess:
            return


def in_thread(run: Callable[[], None]) -> threading.Thread:
    """Start ``run`` beside the test."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
