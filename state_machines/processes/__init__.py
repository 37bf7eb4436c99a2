"""One definition per kind of case. Where the rules come from stands at the top of each file."""
