"""``make bench``: the short ones; ``--full``: all of them at full size. Name some to run only those."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

BENCHMARKS = (
    "earning",
    "relay",
    "embedded",
    "latency",
    "api",
    "gateway",
    "intake",
    "clocks",
    "growth",
    "expiry",
    "contention",
)


def main() -> int:
    """Run the named benchmarks (default: all) one after the other; 1 when a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], help="which ones")
    parser.add_argument("--full", action="store_true", help="full sizes")
    told = parser.parse_args()
    os.environ.setdefault("KEZHI_TEST_ENGINE", "servers")  # figures of a test's throwaway server would say nothing
    reached = [importlib.import_module(f"benchmarks.{name}").main(full=told.full) for name in told.names or BENCHMARKS]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
