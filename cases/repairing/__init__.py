"""Putting right what a check has found, where the record or the definitions say what is right."""
