"""Benchmarks: each compares two or three ways of doing the same thing in one run, because absolute times are noise."""
