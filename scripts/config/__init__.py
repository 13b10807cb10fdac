"""What a person wrote, checked: `invoke.yaml` and `.env`. Imports `core` alone."""
