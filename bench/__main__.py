"""``make bench``: run the benchmarks and print their tables. An argument gives another number of cases."""

import sys

from bench import sweep

if __name__ == "__main__":  # a long sweep starts processes, which import this again
    sweep.main(*(int(value.replace("_", "")) for value in sys.argv[1:3]))
