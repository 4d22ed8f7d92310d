"""How `fly.py` flies: what it shows, the server it starts, and its stages."""
