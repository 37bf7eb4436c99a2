"""What sentences need that are put together: a capital at the beginning, none within, a number with its noun."""


def capital(text: str) -> str:
    """Return a text with a capital at its beginning, otherwise as it is."""
    return text[:1].upper() + text[1:]


def within(text: str) -> str:
    """Return a text as it stands within a sentence: without a capital at its beginning, otherwise as it is."""
    return text[:1].lower() + text[1:]


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 case, 2 cases, 1,000 replies."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
