"""One job, and the queue of one's own."""
