"""What the providers of chat share here: the question as it was sent, an answer to it, its tokens and price."""
