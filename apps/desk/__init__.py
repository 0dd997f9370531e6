"""The desk: explains the queue (what is ahead, how long) and operates it (admin, command line, control)."""
