"""Serves an MLflow model of any flavor over a Unix stream socket, for the gateway."""
