"""How pages and the API are served: sockets in an event loop, Django in a few threads that never wait for a client."""
