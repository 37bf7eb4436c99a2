"""What is printed or shown word for word: documents as safe HTML, and PDF.

It knows nothing of cases and stores nothing.
"""
