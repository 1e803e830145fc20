"""Pages of one migration. Each view is scope, form, service, message, redirect."""
