"""The servers and commands of a person's own machine: `make run` and `make test`."""
