"""Questionnaires, answers, data quality, risk scores: values in, values out; nothing is read or written."""
