"""Says what is wrong with settings in words of their own: the place, the problem, and what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from scripts.core.errors import InputError


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return every problem that pydantic found in what should be a `model`."""
    return [line for item in error.errors() for line in _problem(item, model)]


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question whether a known word was meant, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def unknown_service(name: str, known: Iterable[str]) -> InputError:
    """Return the error of a service that is none of these."""
    names = sorted(known)
    return InputError(f"there is no service `{name}`{meant(name, names)}", f"one of: {', '.join(names) or 'none'}", code="service-unknown")


def _problem(item: Any, model: type[BaseModel]) -> list[str]:
    place = ".".join(str(part) for part in item["loc"] if part != "[key]")
    if item["type"] == "extra_forbidden":
        return [f"{place}: unknown key{meant(str(item['loc'][-1]), _keys_beside(item['loc'], model))}"]
    if item["type"] == "missing":
        return [f"{place}: is missing"]
    if item["type"] == "value_error":
        return [f"{place}: {line}" if place else line for line in str(item["ctx"]["error"]).splitlines()]
    got = item["input"]
    shown = f", not {got!r}" if isinstance(got, str | int | float | bool) else ""
    return [f"{place}: {item['msg'][0].lower()}{item['msg'][1:]}{shown}"]


def _keys_beside(place: tuple[int | str, ...], model: Any) -> list[str]:
    """The keys that the model has where an unknown one stands."""
    for part in place[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        annotation = field.annotation if field else model
        arguments = getattr(annotation, "__args__", ())
        model = arguments[-1] if arguments and field else annotation
    return list(getattr(model, "model_fields", {}))
