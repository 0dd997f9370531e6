"""Every setting of Pressroom, read from the environment; there is no second module for production.

`manage.py check` names what is missing or wrong (apps/core/checks.py). `manage.py up` fills in what a
single machine needs: its own servers, secrets and, where a provider has no key, the simulator.
"""

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from apps.providers.registry import PROVIDERS
from config.environment import STATEMENT_SECONDS as STATEMENT_SECONDS
from config.environment import boolean, database, decimal, integer, number, origin, text, words
from config.lanes import KINDS as KINDS
from config.lanes import LANES as LANES
from config.logs import LOGGING as LOGGING
from config.schedule import SCHEDULE as SCHEDULE
from config.tick import NETS as NETS
from config.tick import PRUNERS as PRUNERS
from config.tick import TICK_PARTS as TICK_PARTS

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(text("PRESSROOM_DATA_DIR", str(BASE_DIR / ".pressroom")))
RELEASE = "0.1.0"

# --- Secrets and addresses -------------------------------------------------------------------------
DEBUG = boolean("PRESSROOM_DEBUG", default=False)
SECRET_KEY_GIVEN = bool(text("SECRET_KEY", ""))
SECRET_KEY = text("SECRET_KEY", "") or secrets.token_urlsafe(50)
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS")
CRON_SECRETS = words("CRON_SECRET")  # two, separated by a comma, while one is being rotated
SITE_URL = origin("SITE_URL", "http://127.0.0.1:8000")
LIVE_URL = origin("LIVE_URL", "")
ALLOWED_HOSTS = words("ALLOWED_HOSTS") or sorted({urlsplit(SITE_URL).hostname or "", "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [SITE_URL]
HTTPS = SITE_URL.startswith("https://")

# --- Applications ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "csp",
    "apps.core",
    "apps.accounts",
    "apps.assets",
    "apps.providers",
    "apps.jobs",
    "apps.desk",
    "apps.orders",
    "apps.studio",
    "apps.listings",
    "apps.live",
    "apps.pages",
    "apps.api",
    "apps.front",
    "apps.simulator",
    "apps.launch",
]
MIDDLEWARE = [
    "apps.core.middleware.RequestIdMiddleware",
    "apps.api.health.ProbesMiddleware",
    "apps.core.middleware.HostMiddleware",
    "apps.core.policy.PolicyMiddleware",
    "apps.core.middleware.NulMiddleware",
    "apps.core.middleware.DatabaseAwayMiddleware",
    "apps.core.paths.ForgivingPathsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.sessions.SessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # apps/core/paths.py forgives both ways
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.pages.context.site",
            ],
        },
    },
]
STATIC_URL = "/static/"
STATIC_ROOT = Path(text("PRESSROOM_STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not STATIC_ROOT.exists()
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = Path(text("PRESSROOM_MEDIA_ROOT", str(DATA_DIR / "media")))
FILE_UPLOAD_PERMISSIONS = 0o640
PICTURE_QUOTA_MB = integer("PRESSROOM_PICTURE_QUOTA_MB", 20_000)  # of one person's pictures; 0: no limit
DECODER_MEMORY_MB = integer("PRESSROOM_DECODER_MEMORY_MB", 512)  # of each process that opens pictures
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Accounts --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.backend.PasswordBackend"]
SIGN_INS_AT_ONCE = integer("PRESSROOM_SIGN_INS_AT_ONCE", 2)  # of one web process: each hashes for a third of a second
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/signin"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/signin"
SESSION_COOKIE_AGE = round(3600 * number("PRESSROOM_SESSION_IDLE_HOURS", 72))  # without use; each use begins it anew
SESSION_LONGEST_SECONDS = 3600 * number("PRESSROOM_SESSION_HOURS", 720)  # with use
SESSION_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "apps.pages.refusals.csrf_failed"
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS and boolean("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = boolean("BEHIND_PROXY", default=False)  # it sets X-Forwarded-Proto, and X-Forwarded-For last
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"
# Slow clients (seconds): a body's grace before its rate counts, and a reader's time for 64 KB of an answer.
BODY_GRACE_SECONDS = number("PRESSROOM_BODY_GRACE_SECONDS", 15)
PIECE_SECONDS = number("PRESSROOM_PIECE_SECONDS", 20)
_OWN_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "object-src": [NONE],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": _OWN_POLICY}
# The administration's own scripts make functions of expressions (Alpine), and style elements (htmx); neither may come
# from elsewhere, and no script stands in a page.
POLICIES_ELSEWHERE = {
    "/admin": _OWN_POLICY | {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
}

# --- Database --------------------------------------------------------------------------------------
DATABASE_URL = text("DATABASE_URL", "")
DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis and Celery ------------------------------------------------------------------------------
REDIS_URL = text("REDIS_URL", "")
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False  # the lease in the row is what recovers a job, not the broker
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_DEFAULT_QUEUE = "dispatch"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_TASK_SOFT_TIME_LIMIT = integer("PRESSROOM_TASK_SOFT_LIMIT", 170)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 30
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000  # KiB
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_POOL_LIMIT = 4
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": number("PRESSROOM_REDIS_TIMEOUT", 1.0),
    "socket_connect_timeout": number("PRESSROOM_REDIS_TIMEOUT", 1.0),
    "socket_keepalive": not REDIS_URL.startswith("unix:"),
    "health_check_interval": 15,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_IMPORTS = ("apps.jobs.worker",)
CELERY_BEAT_SCHEDULER = "apps.jobs.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SYNC_EVERY = 1  # last_run_at is written at once: GET /api/init sees from it whether beat is alive
CELERY_TIMEZONE = "UTC"

# --- The job engine (seconds) ----------------------------------------------------------------------
LEASE_SECONDS = number("PRESSROOM_LEASE_SECONDS", 60)
HEARTBEAT_SECONDS = number("PRESSROOM_HEARTBEAT_SECONDS", 15)
ATTEMPT_SECONDS = number("PRESSROOM_ATTEMPT_SECONDS", 120)
STREAMS_EACH = integer("PRESSROOM_STREAMS_EACH", 20)  # open event streams of one person
# Something revoked ends its streams at once; this is the net for where Redis was away, and for tokens that expire.
LIVE_RECHECK_SECONDS = number("PRESSROOM_LIVE_RECHECK_SECONDS", 30)
WORK_SLICE_SECONDS = number("PRESSROOM_WORK_SLICE_SECONDS", 20)  # a worker takes jobs of one lane for so long
AGING_SECONDS = number("PRESSROOM_AGING_SECONDS", 300)  # waiting so long gains a job one priority, up to 9
QUEUE_QUOTA = integer("PRESSROOM_QUEUE_QUOTA", 20_000)  # jobs one person may have waiting; 0: no limit
WORKSPACE_QUOTA = integer("PRESSROOM_WORKSPACE_QUOTA", 500)  # of one person; 0: no limit
ROW_QUOTA = integer("PRESSROOM_ROW_QUOTA", 20_000)  # in all workspaces of one person; 0: no limit
PROJECT_QUOTA = integer("PRESSROOM_PROJECT_QUOTA", 5_000)  # of one person; 0: no limit
MAX_CRASHES = 3
LANE_LIMITS = {
    "prompts": integer("PRESSROOM_PROMPTS_CONCURRENCY", 3),
    "images": integer("PRESSROOM_IMAGES_CONCURRENCY", 3),
    "listings": integer("PRESSROOM_LISTINGS_CONCURRENCY", 6),
    "visibility": integer("PRESSROOM_VISIBILITY_CONCURRENCY", 64),
}

# --- Providers -------------------------------------------------------------------------------------
SIMULATED = words("PRESSROOM_SIMULATED")
SIMULATOR_URL = text("PRESSROOM_SIMULATOR_URL", "")
# Of each provider in apps/providers/registry.py: NAME_API_KEY, NAME_API_BASE, and the limits of its key, shared by all
# workers: NAME_MAX_CONCURRENT, NAME_REQUESTS_PER_MINUTE (0: none).
PROVIDER_KEYS = {provider.name: text(provider.key_setting, "") for provider in PROVIDERS.values()}
PROVIDER_BASES = {
    provider.name: text(provider.base_setting, provider.base).rstrip("/") for provider in PROVIDERS.values()
}
PROVIDER_LIMITS = {
    provider.name: {
        "concurrent": integer(f"{provider.env}_MAX_CONCURRENT", 0),
        "per_minute": integer(f"{provider.env}_REQUESTS_PER_MINUTE", 0),
    }
    for provider in PROVIDERS.values()
}
WAVESPEED_WEBHOOKS = boolean("WAVESPEED_WEBHOOKS", default=True)
# An order whose outcome is unknown is looked up for so long before a person is asked (seconds).
UNKNOWN_GRACE_SECONDS = number("PRESSROOM_UNKNOWN_GRACE_SECONDS", 240)
WAVESPEED_WEBHOOK_SECRET = text("WAVESPEED_WEBHOOK_SECRET", "")
# Where results may be fetched from; a leading dot allows everything below. The API's own host always may.
WAVESPEED_RESULT_HOSTS = words("WAVESPEED_RESULT_HOSTS") or [".wavespeed.ai", ".cloudfront.net"]
# Before "it is not in the list" is believed: the longest submit (60 s), and the time a task may take to be listed.
LOOKUP_GRACE_SECONDS = number("PRESSROOM_LOOKUP_GRACE_SECONDS", 75)
# Each entry: model, and after what it is asked: error, refusal, too_long; without any, after error and too_long.
# After a refusal only where the workspace allows another model to be asked as well.
PROMPT_MODELS = words("PRESSROOM_PROMPT_MODELS") or [
    "grok-4.7",
    "grok-4.3:error|refusal",
    "grok-4.20-non-reasoning:error|too_long",
]
# Images of Listings that are painted round the cut-out: OpenAI's model, and low, medium or high.
EDIT_MODEL = text("PRESSROOM_EDIT_MODEL", "gpt-image-2.6-flare")
EDIT_QUALITY = text("PRESSROOM_EDIT_QUALITY", "medium")
TEXT_MODEL = text("PRESSROOM_TEXT_MODEL", "gemini-3.8-flash")  # writes A+ pages
IMAGE_MODEL = text("PRESSROOM_IMAGE_MODEL", "bytedance/seedream-v4.5/edit")
PROVIDER_DAILY_BUDGET_USD = decimal("PRESSROOM_PROVIDER_DAILY_BUDGET_USD", None)
ALLOW_PRIVATE_URLS = boolean("PRESSROOM_ALLOW_PRIVATE_URLS", default=False)  # loopback only; development, tests

# --- API -------------------------------------------------------------------------------------------
# /api/docs and /api/schema: for who is signed in, or anybody.
PUBLIC_REFERENCE = boolean("PRESSROOM_PUBLIC_REFERENCE", default=False)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.authentication.TokenAuthentication",
        "apps.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["apps.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.rendering.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.api.errors.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pressroom",
    "DESCRIPTION": "Queued AI generation: every wait explained, nothing lost, nothing paid twice, every cost known.",
    "VERSION": RELEASE,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.api.schema.bodies_know_their_keys",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatus": "apps.api.jobs.job_shapes.PUBLIC_STATUSES",
        "RowStatus": "apps.api.studio.rows.ROW_STATUSES",
        "ImageType": "apps.api.listings.shapes.IMAGE_TYPES",
    },
}
UNFOLD = {"SITE_TITLE": "Pressroom", "SITE_HEADER": "Pressroom", "SITE_URL": "/"}
