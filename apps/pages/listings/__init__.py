"""The pages of Listings."""
