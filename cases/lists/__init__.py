"""Lists of cases, read by index and page by page: narrowed, counted, searched, and acted on together."""
