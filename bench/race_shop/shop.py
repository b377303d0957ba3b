"""A shop of django-oscar as its documentation sets one up, for bench/race_run.py to ask.

It is run by the Python of an environment of its own (race-peers.txt); nothing of ours is imported.

Usage: shop.py prepare | shop.py stock NAME UNITS
and, for the server: gunicorn shop:application

DATABASE_HOST, _PORT, _NAME, _USER and _PASSWORD say where its database is. Every setting that has
to do with orders or stock is Oscar's own default; ATOMIC_REQUESTS is what its documentation asks
for. No view, model or class of it is changed. Without a provider of payments, nobody is asked.
"""

import os
import sys
from decimal import Decimal

import django
import oscar
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

_OSCAR = [
    "oscar.config.Shop",
    "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig",
    "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig",
    "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig",
    "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
]


def _defaults() -> dict[str, object]:
    """What Oscar's own module of defaults says."""
    from oscar import defaults  # noqa: PLC0415  # it wants Django's settings to be on their way

    return {name: getattr(defaults, name) for name in dir(defaults) if name.startswith("OSCAR_")}


settings.configure(
    **_defaults()
    | {
        "OSCAR_ALLOW_ANON_CHECKOUT": True,
        "OSCAR_SHOP_NAME": "Race",
    },
    SECRET_KEY=os.environ.get("RACE_SECRET", "of a shop that lives for a minute"),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SITE_ID=1,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "ATOMIC_REQUESTS": True,
            **{
                key: os.environ.get(f"DATABASE_{key}", "")
                for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")
            },
        }
    },
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
        "django.contrib.sites", "django.contrib.flatpages", *_OSCAR,
        "widget_tweaks", "haystack", "treebeard", "django_tables2",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "oscar.apps.basket.middleware.BasketMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[
        "oscar.apps.customer.auth_backends.EmailBackend",
        "django.contrib.auth.backends.ModelBackend",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.template.context_processors.i18n",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                    "oscar.apps.search.context_processors.search_form",
                    "oscar.apps.checkout.context_processors.checkout",
                    "oscar.core.context_processors.metadata",
                ]
            },
        }
    ],
    HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    STATIC_URL="/static/",
    LOGGING_CONFIG=None,
)  # fmt: skip

application = get_wsgi_application()


urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(apps.get_app_config("oscar").urls[0])),
]


def prepare() -> None:
    """An empty shop that sends to one country."""
    call_command("migrate", verbosity=0)
    from oscar.core.loading import get_model  # noqa: PLC0415  # the settings come first

    get_model("address", "Country").objects.create(
        iso_3166_1_a2="FR", iso_3166_1_a3="FRA", iso_3166_1_numeric="250",
        printable_name="France", name="France", is_shipping_country=True,
    )  # fmt: skip
    version = ".".join(map(str, oscar.VERSION[:3]))
    print(f"django-oscar {version}, Django {django.__version__}")


def stock(name: str, units: str) -> None:
    """Sell so many of a product; prints its id."""
    from oscar.core.loading import get_model  # noqa: PLC0415  # the settings come first

    kind, _ = get_model("catalogue", "ProductClass").objects.get_or_create(
        name="Shirt", defaults={"requires_shipping": True, "track_stock": True}
    )
    partner, _ = get_model("partner", "Partner").objects.get_or_create(name="Race")
    product = get_model("catalogue", "Product").objects.create(
        title=name, product_class=kind, structure="standalone", is_public=True
    )
    get_model("partner", "StockRecord").objects.create(
        product=product, partner=partner, partner_sku=name, price=Decimal("25.00"),
        num_in_stock=int(units),
    )  # fmt: skip
    print(product.pk)


if __name__ == "__main__":
    {"prepare": prepare, "stock": stock}[sys.argv[1]](*sys.argv[2:])
