"""Stripe's form encoding: `items[0][price]=p&expand[]=customer` is a tree of texts."""

from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl

from comptoir_sandbox.objects import is_object
from comptoir_sandbox.refused import Refused

Tree = dict[str, Any]

FIELDS: Final = 1_000
DEPTH: Final = 8


def decode(text: str) -> Tree:
    """The tree of a form.

    Lists come as `a[]=1&a[]=2` or `a[0]=1&a[1]=2`; both are lists here. An empty text stays one: it
    is how a field is unset.

    Raises:
        Refused: it is no such form, or too large.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise Refused("Invalid request: the body cannot be read.") from error
    tree: Tree = {}
    for name, value in pairs:
        _put(tree, _path(name), value)
    return {key: _with_lists(value) for key, value in tree.items()}


def _path(name: str) -> list[str]:
    """`a[b][]` as a, b and an empty name."""
    first, _, rest = name.partition("[")
    if not rest:
        return [first]
    if not rest.endswith("]"):
        raise Refused(f"Invalid request: {name} is no name of a parameter.")
    path = [first, *rest[:-1].split("][")]
    if not first or len(path) > DEPTH:
        raise Refused(f"Invalid request: {name} is no name of a parameter.")
    return path


def _put(tree: Tree, path: list[str], value: str) -> None:
    for name, following in pairwise(path):
        key = name or str(len(tree))
        inner = tree.setdefault(key, {})
        if not is_object(inner):
            raise Refused(f"Invalid request: {following} is both a value and a group.")
        tree = inner
    last = path[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise Refused(f"Invalid request: {last} is both a value and a group.")
    tree[last] = value


def _with_lists(value: object) -> Any:  # noqa: ANN401  # a text, a list or a tree
    if not is_object(value):
        return value
    inner = {key: _with_lists(each) for key, each in value.items()}
    if inner and all(key.isascii() and key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
