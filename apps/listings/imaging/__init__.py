"""Pictures as arrays: cut out, refined, composed, compared. Nothing here knows the database or a provider."""
