"""What secrets look like: one line a kind, in the formats that their issuers publish.

Every pattern is linear: it begins with a literal that cannot begin again inside its own match, each
repetition is possessive or short and bounded, and nothing repeats what repeats. So Python's `re`
does it; RE2 would have no lookbehind for the guard in front. A pattern runs only where one of its
marks occurs in the lower-cased text. What has a group `secret` loses only that. Longer than most
modules because it is one table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.secret_values import Check, any_value, assigned, mixed, password


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret."""

    name: str
    marks: tuple[str, ...]
    """Lower-case; without any of them there is none of this kind."""
    pattern: re.Pattern[str]
    check: Check = any_value
    """Looks at a match: whether it is a secret and not a placeholder or code."""
    hints: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """By mark, the mark and what has to follow it: one of them is found in any lower-cased ASCII
    text that the pattern matches in, and quicker than that, as `re` skips to a literal."""


# A token begins where no word goes on: also behind \n written out, %3D, and a terminal's colour.
_EDGE = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f][0-9A-Fa-f])"
    r"|(?<=\[\dm)|(?<=\[\d\dm)|(?<=\[K))"
)
_WORD, _URL = "[A-Za-z0-9]", "[A-Za-z0-9_-]"


def _token(
    name: str, pattern: str, *marks: str, check: Check = any_value, hint: str | None = None
) -> Kind:
    return _within(name, _EDGE + pattern, *marks, check=check, hint=hint)


def _within(
    name: str, pattern: str, *marks: str, check: Check = any_value, hint: str | None = None
) -> Kind:
    """A kind; `hint` says what comes behind a mark, in lower case."""
    hints = {} if hint is None else {mark: re.compile(re.escape(mark) + hint) for mark in marks}
    return Kind(name, marks, re.compile(pattern), check, hints)


_PRIVATE_KEYS = (
    _within(
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?=[^-]{0,300}?[A-Za-z0-9+/=]{30})"
        r"(?:(?:[^-]|-(?!----)){40,20000}+(?:-----END [A-Z0-9 ]{1,60}-----)?)",
        "private key",
    ),
    _within(
        "putty-key",
        r"Private-Lines: \d{1,4}\s{1,2}(?P<secret>(?:[A-Za-z0-9+/=]{4,80}+\s{0,2}){1,200}+)",
        "private-lines",
    ),
    _token("age-key", r"AGE-SECRET-KEY-1[A-Z0-9]{50,70}+", "age-secret-key-"),
    _within(
        "wireguard-key",
        r"(?i:private_?key|preshared_?key)\s{0,3}[=:]\s{0,3}[\"']?(?P<secret>[A-Za-z0-9+/]{42,43}=)",
        "privatekey",
        "private_key",
        "presharedkey",
        "preshared_key",
    ),
)
_CLOUD = (
    _token(
        "aws-access-key",
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        "akia",
        "asia",
        "abia",
        "acca",
    ),
    _within(
        "aws-secret-key",
        r"(?i:aws.{0,20}?(?:secret|session).{0,20}?[\"']?\s{0,3}[=:]{1,2}\s{0,3}[\"']?)"
        r"(?P<secret>[A-Za-z0-9/+=]{40,2000}+)",
        "aws",
    ),
    _token("aws-bedrock-key", r"ABSK[A-Za-z0-9+/=]{100,300}+", "absk"),
    _token("amazon-mws-token", r"amzn\.mws\.[0-9a-f-]{36}", "amzn.mws."),
    _token("google-api-key", rf"AIza{_URL}{{35}}", "aiza"),
    _token("google-client-secret", rf"GOCSPX-{_URL}{{20,60}}+", "gocspx-"),
    _token("google-access-token", r"ya29\.[A-Za-z0-9_.-]{20,2000}+", "ya29."),
    _token("google-refresh-token", rf"1//0{_URL}{{30,500}}+", "1//0"),
    _within(
        "azure-storage-key",
        r"(?i:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/=]{40,90}+)",
        "accountkey=",
        "sharedaccesskey=",
    ),
    _token("azure-client-secret", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,36}+", "q~"),
    _within("azure-sas", r"[?&](?:amp;)?sig=(?P<secret>[A-Za-z0-9%+/=]{40,100}+)", "sig="),
    _token("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}", "doo_v1_", "dop_v1_", "dor_v1_"),
    _token("cloudflare-key", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,160}+", "v1.0-"),
    _token("heroku-key", r"HRKU-[A-Za-z0-9_-]{36,80}+", "hrku-"),
    _token("fly-token", r"(?:FlyV1 )?fm[12][a-z]?_[A-Za-z0-9+/=_-]{40,2000}+", "fm1", "fm2"),
    _token(
        "netlify-token", rf"nf[opcbu]_{_WORD}{{36,60}}+", "nfo_", "nfp_", "nfc_", "nfb_", "nfu_"
    ),
    _token("render-key", rf"rnd_{_WORD}{{28,60}}+", "rnd_"),
    _token(
        "supabase-key",
        r"(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,80}+)",
        "sbp_",
        "sb_secret_",
    ),
    _token("planetscale-token", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,80}+", "pscale_"),
    _token("neon-key", rf"napi_{_WORD}{{40,80}}+", "napi_"),
    _token("databricks-token", r"dapi[0-9a-f]{32}(?:-\d)?", "dapi"),
    _token("terraform-token", rf"{_WORD}{{14}}\.atlasv1\.[A-Za-z0-9_=-]{{60,80}}+", ".atlasv1."),
    _token("vault-token", rf"hv[sbr]\.{_URL}{{24,300}}+", "hvs.", "hvb.", "hvr."),
    _token("doppler-token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,80}+", "dp."),
    _token("pulumi-token", r"pul-[0-9a-f]{40}", "pul-"),
    _token("onepassword-token", rf"ops_eyJ{_URL}{{100,3000}}+=*", "ops_eyj"),
    _token("alibaba-key", rf"LTAI{_WORD}{{16,24}}+", "ltai"),
)
_MODELS = (
    _token("anthropic-key", rf"sk-ant-[a-z0-9]{{2,10}}-{_URL}{{20,200}}+", "sk-ant-"),
    _token("openrouter-key", r"sk-or-v1-[0-9a-f]{64}", "sk-or-"),
    _token("openai-key", rf"sk-(?:proj|svcacct|admin|None)-{_URL}{{20,250}}+", "sk-"),
    _token("model-key", rf"(?:sk|csk|lsk|rk)-{_WORD}{{30,120}}+", "sk-", "rk-", check=mixed),
    _token("hugging-face-token", rf"(?:hf|api_org)_{_WORD}{{30,60}}+", "hf_", "api_org_"),
    _token("replicate-token", rf"r8_{_WORD}{{37}}", "r8_"),
    _token("groq-key", rf"gsk_{_WORD}{{40,80}}+", "gsk_"),
    _token("perplexity-key", rf"pplx-{_WORD}{{40,80}}+", "pplx-"),
    _token("xai-key", rf"xai-{_WORD}{{60,120}}+", "xai-"),
    _token("nvidia-key", rf"nvapi-{_URL}{{50,100}}+", "nvapi-"),
    _token("tavily-key", rf"tvly-{_URL}{{20,60}}+", "tvly-", check=mixed),
    _token("langsmith-key", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}", "lsv2_"),
    _token("pinecone-key", r"pcsk_[A-Za-z0-9_]{40,100}+", "pcsk_"),
    _token("elevenlabs-key", r"sk_[0-9a-f]{48}", "sk_"),
    _token("fireworks-key", rf"fw_{_WORD}{{20,40}}+", "fw_", check=mixed),
)
_CODE = (
    _token(
        "github-token", rf"gh[pousr]_{_WORD}{{36,255}}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"
    ),
    _token("github-token", r"github_pat_[A-Za-z0-9_]{60,120}+", "github_pat_"),
    _token(
        "gitlab-token",
        r"(?:gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas|rtr)-[A-Za-z0-9_.=-]{20,100}+|"
        r"GR1348941[A-Za-z0-9_-]{20})",
        "gl",
        "gr1348941",
        hint=r"(?:[a-z]{2,5}-|[a-z0-9_-]{20})",
    ),
    _token(
        "atlassian-token", r"AT(?:ATT3|CTT3|BB)[A-Za-z0-9_=-]{28,250}+", "atatt3", "atctt3", "atbb"
    ),
    _token("npm-token", rf"npm_{_WORD}{{36}}", "npm_"),
    _within(
        "npm-token",
        r"_(?:authToken|auth|password)\s{0,2}=\s{0,2}[\"']?(?P<secret>[^\s\"'$]{8,500}+)",
        "_authtoken",
        "_auth",
        "_password",
        check=any_value,
    ),
    _token("pypi-token", rf"pypi-Ag{_URL}{{50,500}}+", "pypi-ag"),
    _token("rubygems-key", r"rubygems_[0-9a-f]{48}", "rubygems_"),
    _token(
        "crates-token",
        rf"cio{_WORD}{{32}}(?![A-Za-z0-9])",
        "cio",
        check=mixed,
        hint=r"[a-z0-9]{32}",
    ),
    _token("nuget-key", r"oy2[a-z0-9]{43}(?![a-z0-9])", "oy2"),
    _token("docker-token", rf"dckr_[po]at_{_URL}{{20,60}}+", "dckr_"),
    _token(
        "artifactory-token",
        rf"(?:AKCp{_WORD}{{60,80}}+|cmVmdGtu{_WORD}{{50,70}}+)",
        "akcp",
        "cmvmdgtu",
    ),
    _token("sonar-token", r"sq[pua]_[0-9a-f]{40}", "sqp_", "squ_", "sqa_"),
    _token("circleci-token", r"CCI(?:PAT|PRJ)_[A-Za-z0-9_]{30,100}+", "ccipat_", "cciprj_"),
    _token("buildkite-token", rf"bk[a-z]{{2,3}}_{_WORD}{{36,60}}+", "bk", hint=r"[a-z]{2,3}_"),
    _token("sentry-token", r"sntry[su]_[A-Za-z0-9+/=_-]{40,300}+", "sntry"),
    _token(
        "grafana-token",
        rf"(?:glsa_{_WORD}{{32}}_[0-9a-f]{{8}}|glc_[A-Za-z0-9+/=]{{32,400}}+)",
        "glsa_",
        "glc_",
    ),
    _token(
        "newrelic-key", r"NR(?:AK|JS|II|RA)-[A-Za-z0-9]{18,40}+", "nrak-", "nrjs-", "nrii-", "nrra-"
    ),
    _token("posthog-key", rf"phx_{_WORD}{{40,60}}+", "phx_"),
    _token("postman-key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}", "pmak-"),
)
_SERVICES = (
    _token(
        "slack-token",
        r"(?:xox[abceoprs](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{10,250}+",
        "xox",
        "xapp-",
    ),
    _within(
        "slack-webhook",
        r"hooks\.slack\.com/(?P<secret>(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,120}+)",
        "hooks.slack.com",
    ),
    _within(
        "discord-webhook",
        r"discord(?:app)?\.com/api/webhooks/(?P<secret>\d{15,22}/[A-Za-z0-9_-]{40,100}+)",
        "api/webhooks/",
    ),
    _token(
        "discord-token",
        rf"[MNO]{_WORD}{{23,27}}\.{_URL}{{6}}\.{_URL}{{27,45}}+",
        ".",
        hint=r"[a-z0-9_-]{6}\.[a-z0-9_-]{27}",
    ),
    _within(
        "teams-webhook",
        r"webhook\.office\.com/(?P<secret>webhookb2/[A-Za-z0-9@/_-]{60,300}+)",
        "webhook.office.com",
    ),
    _token("telegram-token", rf"\d{{8,10}}:AA{_URL}{{33}}", ":aa"),
    _token(
        "stripe-key",
        rf"(?:[sr]k_(?:live|test)_{_WORD}{{16,250}}+|whsec_[A-Za-z0-9+/=]{{24,100}}+)",
        "k_live_",
        "k_test_",
        "whsec_",
    ),
    _token(
        "square-token",
        rf"(?:sq0[a-z]{{3}}-{_URL}{{22,50}}+|EAAA[A-Za-z0-9_-]{{58,62}}(?![A-Za-z0-9_-]))",
        "sq0",
        "eaaa",
    ),
    _token("shopify-token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "shp"),
    _within(
        "braintree-token",
        r"access_token\$(?:production|sandbox)\$(?P<secret>[0-9a-z]{16}\$[0-9a-f]{32})",
        "access_token$",
    ),
    _token(
        "twilio-key",
        r"(?:SK|AC)[0-9a-f]{32}(?![0-9a-f])",
        "sk",
        "ac",
        hint=r"[0-9a-f]{32}",
    ),
    _token("sendgrid-key", rf"SG\.{_URL}{{16,32}}\.{_URL}{{30,64}}+", "sg."),
    _token("mailgun-key", r"key-[0-9a-f]{32}", "key-"),
    _token("mailchimp-key", r"[0-9a-f]{32}-us\d{1,2}(?!\w)", "-us"),
    _token("brevo-key", rf"xkeysib-[0-9a-f]{{64}}-{_WORD}{{16}}", "xkeysib-"),
    _token("resend-key", rf"re_{_WORD}{{8}}_{_WORD}{{24}}", "re_", check=mixed),
    _token("linear-key", rf"lin_(?:api|oauth)_{_WORD}{{32,80}}+", "lin_"),
    _token("notion-token", rf"(?:ntn_|secret_){_WORD}{{43,60}}+", "ntn_", "secret_"),
    _token("figma-token", rf"fig[dour]_{_URL}{{30,60}}+", "figd_", "figo_", "figu_", "figr_"),
    _token("airtable-token", rf"pat{_WORD}{{14}}\.[0-9a-f]{{64}}", "pat", hint=r"[a-z0-9]{14}\."),
    _token("hubspot-token", r"pat-(?:na|eu)\d-[0-9a-f-]{36}", "pat-"),
    _token("dropbox-token", rf"sl\.(?:u\.)?{_URL}{{100,1500}}+", "sl."),
    _token("facebook-token", rf"EAA[A-Z]{_WORD}{{80,300}}+", "eaa"),
    _token("x-bearer-token", r"A{20,24}[A-Za-z0-9%]{40,120}+", "aaaaaaaaaaaaaaaaaaaa", check=mixed),
)
_GENERAL = (
    _token("jwt", rf"eyJ{_URL}{{8,4000}}+\.eyJ{_URL}{{8,8000}}+\.{_URL}{{8,2000}}+", "eyj"),
    _token(
        "jwe",
        rf"eyJ{_URL}{{8,4000}}+\.{_URL}*+\.{_URL}{{8,200}}+\.{_URL}{{8,8000}}+\.{_URL}{{8,200}}+",
        "eyj",
    ),
    _within(
        "url-password",
        r"[A-Za-z0-9+.]{2,20}://[^\s:/@\"'<>]{0,100}+:(?P<secret>[^\s@/\"'<>]{2,200}+)@",
        "://",
        check=password,
    ),
    _within(
        "connection-password",
        r"(?i:;\s?(?:password|pwd)\s?=\s?)(?P<secret>[^;\s\"']{3,200}+)",
        "password",
        "pwd",
        check=password,
    ),
    _within(
        "authorization",
        r"(?i:authorization[\"']?\s{0,2}[:=,]\s{0,2}[\"']?(?:bearer|basic|token|digest|apikey)\s)"
        r"\s{0,2}(?P<secret>[A-Za-z0-9+/=_.~:-]{8,4000}+)",
        "authorization",
        check=assigned,
    ),
    _within(
        "authorization",
        r"(?:Bearer|bearer|Basic)\s{1,2}(?P<secret>[A-Za-z0-9+/=_.~-]{20,4000}+)",
        "bearer",
        "basic",
        check=mixed,
    ),
    _within(
        "cookie",
        r"(?i:cookie[\"']?\s{0,2}:\s{0,2})(?P<secret>[^\r\n\"']{0,2000}?[A-Za-z0-9%_.-]{1,60}=[^\r\n\"';]{16,2000}+[^\r\n\"']{0,2000}+)",
        "cookie",
        check=mixed,
    ),
    _within(
        "command-password",
        r"(?:sshpass\s{1,2}-p|mysql\s[^\n]{0,80}?-p|curl\s[^\n]{0,120}?(?:-u|--user)\s{0,2}[\"']?[^\s:\"']{1,80}:)"
        r"\s{0,2}[\"']?(?P<secret>[^\s\"'$]{4,100}+)",
        "sshpass",
        "mysql",
        "curl",
        check=password,
    ),
    _within(
        "command-password",
        r"--(?:password|passwd|pass|token|secret|api-?key|auth-?token|access-?token)(?:=|\s{1,2})[\"']?(?P<secret>[^\s\"'$<]{6,300}+)",
        "--pass",
        "--token",
        "--secret",
        "--api",
        "--auth",
        "--access",
        check=assigned,
    ),
    _within(
        "netrc-password",
        r"\blogin\s{1,4}\S{1,80}+\s{1,4}password\s{1,4}(?P<secret>\S{4,200}+)",
        "password",
        check=password,
    ),
    _within(
        "password",
        r"(?i:\bpass(?:word|phrase|code)\b(?:[^.\n=:]{0,30}?)\s(?:is|was|to)\s{1,2})[\"'`]?(?P<secret>[^\s\"'`,]{6,100}+)",
        "passw",
        "passp",
        "passc",
        check=mixed,
    ),
)
_ASSIGNED = _within(
    "assigned-secret",
    r"(?P<name>(?i:password|passwd|passphrase|pwd|secret|token|credentials?|(?:api|access|account|auth|private|signing|"
    r"encryption|master|license|service|deploy|client|app|jwt|hmac|webhook|session)[_-]?key|[_-]pass|[_-]pat|[_-]pw|apikey))"
    r"(?P<more>(?:[_-][A-Za-z0-9_-]{1,24}+|(?<=[a-z])[A-Z][A-Za-z0-9]{0,24}+|\d{1,3})?)"
    r"(?P<sign>\\?[\"'`]?\]?\s{0,4}(?::=|=>|==?|:|,(?=\s?[\"']))\s{0,4})"
    r"(?:\\?(?P<quote>[\"'`])(?P<quoted>[^\"'`\s\\]{6,500}+)|(?P<bare>[^\s\"'`,;<>(){}\[\]\\]{8,500}+))",
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "key",
    "_pass",
    "-pass",
    "_pat",
    "-pat",
    "_pw",
    "-pw",
    check=assigned,
    # What may come between a mark and the sign, and the sign.
    hint=r"[a-z0-9_-]{0,40}+\\?[\"'`]?\]?\s{0,4}+(?:[:=]|,\s?[\"'])",
)

KINDS: tuple[Kind, ...] = (
    *_PRIVATE_KEYS,
    *_CLOUD,
    *_MODELS,
    *_CODE,
    *_SERVICES,
    *_GENERAL,
    _ASSIGNED,
)
"""In the order in which they are looked for: the particular before the general."""
