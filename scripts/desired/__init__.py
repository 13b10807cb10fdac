"""What should be there, computed purely from settings, `.env` and sources: images and tags, Secrets, Helm releases."""
