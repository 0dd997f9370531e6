"""Results worth looking at: composed from the photographs a call really sent, with its prompt below."""
