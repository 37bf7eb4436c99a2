"""A campaign at work: how far it is, who is asked, reminders, reviews, results. Planned in `cases/campaigns.py`."""
