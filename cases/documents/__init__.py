"""Documents that members sign: their versions, the exact texts, the signatures under them, and the receipts."""
