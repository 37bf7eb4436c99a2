"""A campaign rehearsed: the same code run ahead on a clock of its own, on copies that vanish, writing nothing real."""
