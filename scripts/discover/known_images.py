"""What is known of often used images, which says itself nowhere that could be read: port, user and the folders that they write to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """An image that starts as root and goes on as a user of its own."""

    port: int
    user: int
    """As the image numbers it."""
    alpine_user: int = 0
    """Where the image's variant on Alpine has another number."""
    folders: tuple[str, ...] = ()


KNOWN = {
    "redis": Image(6379, 999, folders=("/data",)),
    "valkey": Image(6379, 999, folders=("/data",)),
    "postgres": Image(5432, 999, 70, ("/var/lib/postgresql/data", "/var/run/postgresql")),
    "pgvector": Image(5432, 999, folders=("/var/lib/postgresql/data", "/var/run/postgresql")),
    "postgis": Image(5432, 999, 70, ("/var/lib/postgresql/data", "/var/run/postgresql")),
    "mongo": Image(27017, 999, folders=("/data/db", "/data/configdb")),
    "rabbitmq": Image(5672, 999, 100, ("/var/lib/rabbitmq",)),
    "mysql": Image(3306, 999, folders=("/var/lib/mysql", "/var/run/mysqld")),
    "mariadb": Image(3306, 999, folders=("/var/lib/mysql", "/run/mysqld")),
    "memcached": Image(11211, 11211),
    "nginx": Image(80, 101, folders=("/var/cache/nginx", "/run")),
}
CONSOLES = frozenset(
    (
        "adminer",
        "pgadmin4",
        "phpmyadmin",
        "redis-commander",
        "redisinsight",
        "kafka-ui",
        "mongo-express",
        "dozzle",
        "portainer",
        "watchtower",
    )
)
"""Images that look at others, for developers: there are `kubectl` and Grafana for that."""


def name_of(image: str) -> str:
    """Return what an image is called, without registry, tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def known(image: str) -> Image | None:
    """Return what is known of an image."""
    return KNOWN.get(name_of(image))


def is_postgres(image: str) -> bool:
    """Return whether it is a Postgres without extensions."""
    return name_of(image) in ("postgres", "postgresql")
