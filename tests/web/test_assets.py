"""Files for browsers: at addresses that change when they do, compressed, and nothing else."""

import gzip
from hashlib import sha256
from pathlib import Path

from comptoir.web import assets
from tests.support.site import Site


def test_every_file_is_where_its_address_says(site: Site) -> None:
    for name, asset in assets.assets().items():
        found = site.get(assets.address(name), who=None)
        assert found.status_code == 200
        assert found.content == asset.content
        assert "immutable" in found.headers["cache-control"]


def test_what_is_compressed_is_the_same() -> None:
    for asset in assets.assets().values():
        assert gzip.decompress(asset.zipped) == asset.content


def test_an_old_address_and_another_name_are_nowhere(site: Site) -> None:
    for path in (
        f"{assets.PREFIX}/00000000/app.css",
        f"{assets.PREFIX}/{assets.assets()['app.css'].digest}/other.css",
        f"{assets.PREFIX}/{assets.assets()['app.css'].digest}/..%2Fassets.py",
    ):
        assert site.get(path, who=None).status_code == 404


def test_pages_are_light() -> None:
    found = assets.assets()
    assert len(found["app.css"].zipped) <= 8 * 1024
    assert (
        sum(len(found[name].zipped) for name in ("app.css", "app.js", "htmx.min.js")) <= 24 * 1024
    )
    assert sum(len(each.content) for each in found.values()) <= 200 * 1024


def test_what_others_wrote_is_named_with_its_digest() -> None:
    named = (Path(__file__).parents[2] / "THIRD_PARTY.md").read_text()
    assert sha256(assets.assets()["htmx.min.js"].content).hexdigest() in named
