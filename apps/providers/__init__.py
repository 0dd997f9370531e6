"""Clients of the AI providers and the ledger of paid calls."""
