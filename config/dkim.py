"""The key that outgoing mail is signed with, checked before the first message needs it."""

from pathlib import Path

SHORTEST = 1024
"""Bits; receivers ignore shorter keys (RFC 8301, section 3.2)."""


def readable_key(path: Path) -> Path:
    """Return the path of a private RSA key in PEM. Raises ValueError, repeating nothing of the key."""
    from dkim.crypto import UnparsableKeyError, parse_pem_private_key  # type: ignore[import-untyped]  # few sign

    try:
        bits = int(parse_pem_private_key(key_in(path))["modulus"]).bit_length()
    except OSError as error:
        raise ValueError(f"names a file that cannot be read ({error.strerror}).") from None
    except (UnparsableKeyError, LookupError, TypeError, ValueError):
        raise ValueError("names a file that is not a private RSA key in PEM, as openssl genrsa writes it.") from None
    if bits < SHORTEST:
        raise ValueError(f"names a key that is too short: {bits} bits, and receivers want {SHORTEST} at least.")
    return path


def key_in(path: Path) -> bytes:
    """Return the key in this file, whichever line endings it was saved with."""
    return path.read_bytes().replace(b"\r\n", b"\n")
