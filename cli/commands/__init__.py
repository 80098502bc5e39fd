"""One file for each command, or group of commands; `cli/app.py` lists them."""
