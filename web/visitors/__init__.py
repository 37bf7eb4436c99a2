"""The pages of people who have a personal link, or come from the street, and no account."""
