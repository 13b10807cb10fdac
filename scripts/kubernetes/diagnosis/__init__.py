"""Why a release is not well: what is seen of it, and the rules that find the cause."""
