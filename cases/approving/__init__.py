"""Decisions that wait for managers and above: which there are, whose they are, the pack of each, taking them."""
