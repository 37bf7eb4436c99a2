"""The coming weeks by day and owner: what flows will do and what is due, worked out once for cases that are alike."""
