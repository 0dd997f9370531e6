"""What the kinds of job of Listings do."""
