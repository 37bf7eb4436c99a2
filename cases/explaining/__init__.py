"""What happens next to a case, and why something did or did not happen. Reads only; nothing here writes."""
