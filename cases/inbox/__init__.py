"""What a mail that came in means for a case: it is put on it, and never moves it by itself, nor counts as an answer."""
