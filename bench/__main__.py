"""``make bench``: run the benchmarks and print their tables.

``python -m bench`` runs all of them; ``python -m bench queue 200_000`` one of them, with another number of cases.
"""

import sys

from bench import click, delivery, launch, people, queue, sweep, workers

BENCHES = {
    "sweep": sweep.main,
    "launch": launch.main,
    "click": click.main,
    "queue": queue.main,
    "people": people.main,
    "delivery": delivery.main,
    "workers": workers.main,
}

if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word[0].isdigit()]
    sizes = [int(value.replace("_", "")) for value in sys.argv[1:] if value[0].isdigit()]
    for name in words or BENCHES:
        BENCHES[name](*sizes)
