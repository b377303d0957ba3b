"""Facts about a book that never change once they are there, so that they may be cached."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asset:
    """What is counted: its code, its decimals, and its open accounts."""

    id: int
    code: str
    scale: int
    issuer: int
    revenue: int
    breakage: int
    supplier: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose account it is: a customer's, by surrogate id and by his own, or a named one."""

    asset: Asset
    customer: int | None = None
    name: str | None = None


@dataclass(slots=True)
class Facts:
    """The assets of one book.

    Attributes:
        assets: by code.
        open_accounts: the asset id of every open account.
        breakage: for every asset id the account that takes what expires.
    """

    assets: dict[str, Asset] = field(default_factory=dict[str, Asset])
    open_accounts: dict[int, int] = field(default_factory=dict[int, int])
    breakage: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, asset: Asset) -> None:
        """Add an asset and its open accounts."""
        self.assets[asset.code] = asset
        for account in (asset.issuer, asset.revenue, asset.breakage, asset.supplier):
            self.open_accounts[account] = asset.id
        self.breakage[asset.id] = asset.breakage
