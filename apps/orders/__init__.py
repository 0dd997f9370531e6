"""What one paid call is: money, leave, ledger, sending and settling, in one place for every product and provider."""
