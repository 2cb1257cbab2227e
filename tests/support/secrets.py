"""Made-up secrets in the formats of their issuers, and clean lines that look a little like them.

All of it is drawn from a seeded generator when the tests run; none was ever issued.
"""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from random import Random
from uuid import UUID

ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "-_"
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits


def drawn(random: Random, alphabet: str, length: int) -> str:
    """So many characters by lot, with a letter and a digit among them."""
    while True:
        text = "".join(random.choices(alphabet, k=length))
        if length < 6 or (any(map(str.isdigit, text)) and any(map(str.isalpha, text))):
            return text


def _b64(random: Random, size: int) -> str:
    return base64.b64encode(random.randbytes(size)).decode()


def _jwt(random: Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": str(random.getrandbits(40)), "iat": 1})
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    )
    return f"{head}.{body}.{drawn(random, URL, 43)}"


def _key(name: str) -> Callable[[Random], tuple[str, str]]:
    def make(random: Random) -> tuple[str, str]:
        body = "\n".join(_b64(random, 48) for _ in range(12))
        return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----", body

    return make


def _made(template: str, alphabet: str, *lengths: int) -> Callable[[Random], tuple[str, str]]:
    """A line with the secret in it, and the secret: what stands between the braces."""

    def make(random: Random) -> tuple[str, str]:
        before, rest = template.split("{", 1)
        inside, after = rest.rsplit("}", 1)
        for length in lengths:
            inside = inside.replace("@", drawn(random, alphabet, length), 1)
        return before + inside + after, inside

    return make


KINDS: dict[str, Callable[[Random], tuple[str, str]]] = {
    "aws id": _made("{AKIA@}", UPPER, 16),
    "aws temporary id": _made("{ASIA@}", UPPER, 16),
    "aws secret": _made("aws_secret_access_key = {@}", ALNUM + "/+", 40),
    "aws secret in json": _made('"SecretAccessKey": "{@}"', ALNUM + "/+", 40),
    "google key": _made("{AIza@}", URL, 35),
    "google client": _made("{GOCSPX-@}", URL, 28),
    "google access": _made("{ya29.@}", URL, 120),
    "azure storage": _made("AccountKey={@==};EndpointSuffix=core.windows.net", ALNUM + "+/", 86),
    "azure client": _made("AZURE_CLIENT_SECRET={@8Q~@}", ALNUM, 3, 34),
    "digitalocean": _made("{dop_v1_@}", HEX, 64),
    "supabase": _made("{sbp_@}", HEX, 40),
    "databricks": _made("{dapi@}", HEX, 32),
    "terraform": _made("{@.atlasv1.@}", ALNUM, 14, 67),
    "vault": _made("{hvs.@}", URL, 90),
    "doppler": _made("{dp.st.@}", ALNUM, 43),
    "planetscale": _made("{pscale_tkn_@}", URL, 43),
    "anthropic": _made("{sk-ant-api03-@AA}", URL, 93),
    "anthropic oauth": _made("{sk-ant-oat01-@}", URL, 95),
    "openai": _made("{sk-proj-@}", URL, 120),
    "openai, old": _made("{sk-@T3BlbkFJ@}", ALNUM, 20, 20),
    "openrouter": _made("{sk-or-v1-@}", HEX, 64),
    "hugging face": _made("{hf_@}", ALNUM, 34),
    "replicate": _made("{r8_@}", ALNUM, 37),
    "groq": _made("{gsk_@}", ALNUM, 52),
    "perplexity": _made("{pplx-@}", ALNUM, 48),
    "github": _made("{ghp_@}", ALNUM, 36),
    "github app": _made("{ghs_@}", ALNUM, 36),
    "github, fine-grained": _made("{github_pat_@_@}", ALNUM, 22, 59),
    "gitlab": _made("{glpat-@}", URL, 20),
    "atlassian": _made("{ATATT3xFfGF0@=@}", URL, 170, 8),
    "npm": _made("{npm_@}", ALNUM, 36),
    "npmrc": _made("//registry.example.org/:_authToken={@}", ALNUM, 36),
    "pypi": _made("{pypi-AgEIcHlwaS5vcmc@}", URL, 120),
    "rubygems": _made("{rubygems_@}", HEX, 48),
    "crates": _made("{cio@}", ALNUM, 32),
    "docker": _made("{dckr_pat_@}", URL, 27),
    "slack": _made("{xoxb-@-@}", string.digits + "a", 12, 12),
    "slack hook": _made("https://hooks.slack.com/{services/T@/B@/x@}", ALNUM, 9, 9, 23),
    "discord hook": _made("https://discord.com/api/webhooks/{123456789012345678/@}", URL, 68),
    "telegram": _made("{7123456789:AA@}", URL, 33),
    "stripe": _made("{sk_live_@}", ALNUM, 24),
    "stripe hook": _made("{whsec_@}", ALNUM, 32),
    "shopify": _made("{shpat_@}", HEX, 32),
    "twilio": _made("{SK@}", HEX, 32),
    "sendgrid": _made("{SG.@.@}", URL, 22, 43),
    "mailgun": _made("{key-@}", HEX, 32),
    "linear": _made("{lin_api_@}", ALNUM, 40),
    "figma": _made("{figd_@}", URL, 40),
    "airtable": _made("{pat@.@}", HEX, 14, 64),
    "rsa key": _key("RSA PRIVATE KEY"),
    "openssh key": _key("OPENSSH PRIVATE KEY"),
    "pkcs8 key": _key("PRIVATE KEY"),
    "pgp key": _key("PGP PRIVATE KEY BLOCK"),
    "age key": _made("{AGE-SECRET-KEY-1@}", UPPER, 58),
    "jwt": lambda random: (text := _jwt(random), text),
    "bearer": _made("Authorization: Bearer {@}", HEX, 64),
    "basic": _made("Authorization: Basic {@==}", ALNUM, 30),
    "key header": _made("X-API-Key: {@}", HEX, 64),
    "postgres": _made("postgres://app:{@}@db.internal:5432/app", ALNUM + "!$*", 14),
    "mongodb": _made("mongodb+srv://root:{@}@cluster0.mongodb.net/x", ALNUM, 16),
    "redis": _made("redis://:{@}@cache:6379/0", ALNUM, 20),
    "sql server": _made("Server=db;User Id=sa;Password={@};Encrypt=true", ALNUM + "!#", 14),
    "env password": _made("DB_PASSWORD={@}", ALNUM + "!#%", 12),
    "yaml password": _made("  password: '{@}'", ALNUM + "!#%", 12),
    "json secret": _made('"clientSecret": "{@}"', ALNUM, 32),
    "python key": _made('API_KEY = "{@}"', ALNUM, 32),
    "javascript token": _made("const authToken = `{@}`;", ALNUM, 40),
    "env token": _made("export SERVICE_TOKEN={@}", HEX, 40),
    "flag": _made("deploy --token {@} --env prod", ALNUM, 32),
    "curl": _made("curl -u admin:{@} https://ci.example.org/job", ALNUM, 16),
    "told": _made("the password is {@}", ALNUM + "!", 12),
    "escaped json": _made('body: \\"refresh_token\\":\\"{@}\\"', ALNUM, 40),
}
"""What each planted secret looks like, by a name for the report of a failure."""

_CARRIERS = (
    "{}",
    "Fixed the login: {} was missing from the environment of the worker.",
    "export SETTING={}",
    '{{"value": "{}", "count": 3}}',
    "# TODO remove before commit: {}",
    "2026-01-31T12:00:00Z ERROR request failed with {} after 3 attempts",
    "Der Fehler war {}, nicht die Verbindung.",
    "原因は {} でした。",
    "- config:\n    value: {}\n    retries: 5",
    "$ run --verbose\n\\n{}\\nexit 0",
)


def planted(random: Random, number: int) -> list[tuple[str, str, str]]:
    """So many texts with one secret each: the kind, the text, the secret."""
    names = list(KINDS)
    made = []
    for place in range(number):
        name = names[place % len(names)]
        line, secret = KINDS[name](random)
        made.append((name, random.choice(_CARRIERS).format(line), secret))
    return made


_CLEAN: tuple[Callable[[Random], str], ...] = (
    lambda r: f"commit {drawn(r, HEX, 40)}",
    lambda r: f"sha256:{drawn(r, HEX, 64)}",
    lambda r: f"integrity sha512-{_b64(r, 64)}",
    lambda r: f'etag: "{drawn(r, HEX, 32)}"',
    lambda r: f"request {UUID(int=r.getrandbits(128))} took {r.randrange(900)} ms",
    lambda r: f'session_id = "{UUID(int=r.getrandbits(128))}"',
    lambda r: (
        f"bumped orjson from {r.randrange(9)}.{r.randrange(20)}.{r.randrange(9)} to 3.13.0-rc1"
    ),
    lambda r: f"max_tokens: {r.randrange(1000, 200000)}",
    lambda r: f"The model used {r.randrange(1000, 99999)} input tokens and 512 output tokens.",
    lambda r: f"token = parse_token(header[{r.randrange(9)}])",
    lambda r: f"password: str = Field(min_length={r.randrange(8, 20)})",
    lambda r: f"const apiKey = process.env.API_KEY_{r.randrange(9)};",
    lambda r: f'secret = os.environ["SECRET_{r.randrange(9)}"]',
    lambda r: f"if (user.password !== confirm{r.randrange(9)}) throw new Error('no match');",
    lambda r: f"password=settings.database_password_{r.randrange(9)}",
    lambda r: f"DATABASE_URL=postgres://app:${{DB_PASSWORD}}@db{r.randrange(9)}:5432/app",
    lambda r: f"The password must have at least {r.randrange(8, 20)} characters.",
    lambda r: f"Use a token bucket: {r.randrange(100)} requests a second, then 429.",
    lambda r: f"Tokens are hashed with SHA-256 before row {r.randrange(999)} is stored.",
    lambda r: f"error[E0{r.randrange(100, 700)}]: cannot borrow `key` as mutable",
    lambda r: f"docs at https://example.org:8443/api/v{r.randrange(9)}/keys?limit=100",
    lambda r: f"git@github.com:acme/app-{r.randrange(99)}.git",
    lambda r: f"from src/auth/token_service_{r.randrange(9)}.py import TokenService",
    lambda r: f"primary_key=True, index {r.randrange(99)}",
    lambda r: f"Das Passwort wird mit bcrypt in {r.randrange(8, 14)} Runden gehasht.",
    lambda r: f"Le jeton expire après {r.randrange(1, 60)} minutes ; il faut le renouveler.",
    lambda r: f"パスワードは{r.randrange(8, 20)}文字以上にしてください。",
    lambda r: f"Пароль хранится только в виде хеша, попыток: {r.randrange(9)}.",
    lambda r: f"密码使用 bcrypt 加密, 轮数 {r.randrange(8, 14)}。",
    lambda r: f"كلمة المرور يجب ألا تقل عن {r.randrange(8, 20)} حرفا.",
    lambda r: f"-----BEGIN CERTIFICATE----- number {r.randrange(99)}",
    lambda r: f"ssh-ed25519 {_b64(r, 51)} ada@laptop",
    lambda r: f"data:image/png;base64,{_b64(r, 60)}",
    lambda r: f"docker run -p 80{r.randrange(10, 99)}:3100 teamlore:0.{r.randrange(9)}",
    lambda r: f"SECRET_KEY_LENGTH = {r.randrange(16, 64)}",
    lambda r: f"api_key_header: X-API-Key-{r.randrange(9)}",
    lambda r: f"tokens: [{r.randrange(99)}, {r.randrange(99)}, {r.randrange(99)}]",
    lambda r: f"GET /api/sessions/{drawn(r, HEX, 24)} 200 {r.randrange(99)}ms",
    lambda r: f"cache key: user:{r.randrange(9999)}:profile:v{r.randrange(9)}",
    lambda r: f"const KEY = `cart-${{userId}}-{r.randrange(9)}`;",
)


def clean(random: Random, number: int) -> list[str]:
    """So many lines without any secret."""
    return [_CLEAN[place % len(_CLEAN)](random) for place in range(number)]
