"""Listings: a complete pack of marketplace images and an A+ page for a product, from the seller's photograph and facts."""
