"""``make bench``: run the benchmarks and print their tables.

``python -m bench`` runs all of them; ``python -m bench queue 200_000`` one of them with another number of cases, and
``launch`` is the third. A number alone is for the sweep.
"""

import sys

from bench import launch, queue, sweep

if __name__ == "__main__":  # a long sweep starts processes, which import this again
    words = [word for word in sys.argv[1:] if not word[0].isdigit()]
    sizes = [int(value.replace("_", "")) for value in sys.argv[1:] if value[0].isdigit()]
    if not words:
        sweep.main(*sizes[:2])
    if words == ["launch"] or not (words or sizes):
        launch.main(*sizes[:1])
    if words == ["queue"] or not (words or sizes):
        queue.main(*sizes[:1])
