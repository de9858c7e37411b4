"""What generators that draw elsewhere, for money, have in common: secrets, requests, retries, prices, a ledger."""
