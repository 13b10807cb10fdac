"""Database URLs for property-based tests: near ones, well-formed ones, and any text."""

from __future__ import annotations

import urllib.parse

from hypothesis import strategies as st

PIECES = [*"up:@/?#[]&=%+,.-hdxä\n \u200b\0", "%40", "%ff", "::1", "5432", "99999", "sslmode", "require", "ssl", "options"]


def _quoted(text: str) -> str:
    return urllib.parse.quote(text.encode("utf-8", "replace"), safe="")


NEAR = st.lists(st.sampled_from(PIECES), max_size=12).map("".join).map("postgresql://".__add__)
WELL_FORMED = st.builds(
    "postgresql://{}:{}@{}{}/{}{}".format,
    st.text(min_size=1).map(_quoted),
    st.text().map(_quoted),
    st.sampled_from(["h", "ep-x-1.neon.tech", "10.0.0.1", "[::1]"]),
    st.sampled_from(["", ":1", ":65535"]),
    st.text(min_size=1).map(_quoted),
    st.sampled_from(["", "?", "?sslmode=require", "?ssl=true&options=a%20b+c"]),
)
ALMOST = st.builds(
    "postgresql://u{}:p{}@h{}/d{}?sslmode=require{}".format,
    *[st.lists(st.sampled_from(PIECES), max_size=2).map("".join)] * 5,
)
URLS = st.one_of(NEAR, WELL_FORMED, ALMOST, st.text())
