"""One machine, one command: embedded servers, and the processes of the Procfile under one supervisor."""
