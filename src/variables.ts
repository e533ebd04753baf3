import { type TLiteral, Type } from '@sinclair/typebox'
import { TOOLSETS } from './mcp/tools/toolsets.ts'
import { NAME } from './package.ts'
import type { SamplerName } from './tracing/tracing.ts'

const url = (description: string, options: object = {}) =>
  Type.String({ pattern: '^https?://[^\\s/?#]+[^\\s?#]*$', description, ...options })

/** Without a user in it, which would be a secret in an address. */
const modelUrl = (description: string) =>
  Type.Optional(Type.String({ pattern: '^https?://[^\\s/?#@]+[^\\s?#@]*$', description }))

const modelKey = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]+$', description }))

/** Over plain HTTP on this machine alone. */
const secureUrl = (description: string) =>
  Type.String({
    pattern: '^(https://|http://(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\])[:/])[^\\s?#]+$',
    description,
  })

/** Comma-separated. */
const list = (description: string) => Type.Optional(Type.String({ description }))

/** Every variable that the service reads: the one source of validation and of the README's table. */
export const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 3000,
    description: 'Port to listen on',
  }),
  GITHUB_API_URL: url('Base of the REST API; for GitHub Enterprise Server `https://HOST/api/v3`', {
    default: 'https://api.github.com',
  }),
  GITHUB_TOKEN: Type.Optional(
    Type.String({
      pattern: '^\\S+$',
      description: 'Token for GitHub; without it anonymous, 60 requests an hour',
    }),
  ),
  GITHUB_APP_ID: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.]{1,64}$',
      description:
        'App ID or client ID of a GitHub App, which then reads for every account that has installed it, and for no other. Not together with `GITHUB_TOKEN`: an account that removes the App must not be read by other means',
    }),
  ),
  GITHUB_APP_PRIVATE_KEY: Type.Optional(
    Type.String({
      description:
        'Private key of that App: PEM, PEM with its line ends written as `\\n`, or the path of a file that holds it',
    }),
  ),
  GITHUB_WEBHOOK_SECRET: list(
    'Secret of the webhooks that GitHub sends to `POST /webhooks/github`; comma-separated to rotate. Without it that route is absent',
  ),
  ALLOW_CALLER_TOKENS: Type.Boolean({
    default: false,
    description:
      'Callers may send a GitHub token of their own as `X-GitHub-Token`, which is then the only credential used for them',
  }),
  GITHUB_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    maximum: 120_000,
    default: 10_000,
    description: 'Milliseconds for one upstream call, retries included',
  }),
  GITHUB_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 512,
    default: 32,
    description: 'Connections to GitHub at most',
  }),
  GITHUB_DOWNLOAD_HOSTS: list(
    'Comma-separated hosts (`host`, `host:port`, `*.host`) from which logs may be fetched, besides GitHub’s own and `*.blob.core.windows.net`: for a GitHub Enterprise Server that keeps them elsewhere. No credential is sent there',
  ),
  GITHUB_BUDGET: Type.Optional(
    Type.Union([Type.Literal('on'), Type.Literal('off')], {
      description:
        'Whether to keep below GitHub’s limits; without it `on`, and `off` for GitHub Enterprise Server',
    }),
  ),
  GITHUB_MAX_CONCURRENT: Type.Integer({
    minimum: 1,
    maximum: 1_000,
    default: 50,
    description: 'Calls of one credential to GitHub at once, on all replicas together',
  }),
  GITHUB_POINTS_PER_MINUTE: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 600,
    description: 'Calls of one credential to GitHub in a minute, on all replicas together',
  }),
  ALLOWED_REPOS: list(
    'Comma-separated `owner/*` and `owner/repo`; all others are refused. Without it all are allowed',
  ),
  PROVIDERS: list(
    'Comma-separated modules with context types of your own: files, relative to the working folder, or names of packages',
  ),
  PROVIDER_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    maximum: 600_000,
    default: 10_000,
    description: 'Milliseconds that one answer of those may take',
  }),
  DOCS_DIR: Type.Optional(
    Type.String({
      description:
        'Folder of Markdown to serve as `docs_search` and `docs_page`, to everybody who may call. Without it there are no such types',
    }),
  ),
  ENABLE_WRITES: Type.Boolean({
    default: false,
    description:
      'Offer the MCP tools that change GitHub: `github_create_issue` and `github_add_comment`',
  }),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^rediss?://[^\\s,]+(,rediss?://[^\\s,]+)*$',
      description:
        'Shared cache, limits and sessions (`redis://`, `rediss://`; the comma-separated nodes of a Cluster). Without it the process keeps everything, and sessions in `DATA_DIR`',
    }),
  ),
  REDIS_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 50,
    description:
      'Milliseconds that a request waits for Redis before it goes on without; a cache that is slower than this is left alone until it answers in time',
  }),
  DATA_DIR: Type.String({
    default: './data',
    description: 'Folder in which sessions are kept where there is no Redis',
  }),
  SESSION_TTL_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 31_536_000,
    default: 86_400,
    description: 'Seconds that a session is kept after its last use',
  }),
  SESSION_PROMPT_TOKENS: Type.Integer({
    minimum: 500,
    maximum: 10_000_000,
    default: 64_000,
    description:
      'Tokens of one prompt of a session at most, however many the model would take: what a turn may cost',
  }),
  CACHE_MAX_BYTES: Type.Integer({
    minimum: 1_048_576,
    default: 134_217_728,
    description: 'Bytes of the cache in the process',
  }),
  API_KEYS: list(
    'Comma-separated `name:key`. Without any, only a loopback `HOST` starts, unless `AUTH=none`',
  ),
  POLICIES_FILE: Type.Optional(
    Type.String({
      description:
        'JSON file with what holds for single callers, by the names of their keys: `{"name": {"allowed_repos": ["owner/*"], "rate_limit": {"max": 100, "window_ms": 60000}, "github_token": {"env": "NAME"}}}`; a token is named by an environment variable or by `{"file": "path"}`. Read again when it changes',
    }),
  ),
  AUTH: Type.Optional(
    Type.Literal('none', { description: '`none` serves everybody who can connect' }),
  ),
  AUTH_ISSUER: Type.Optional(
    secureUrl(
      'Issuer of OAuth 2.0 access tokens (JWT) that are taken beside API keys, with the scopes `context:read` and `github:write`',
    ),
  ),
  AUTH_AUDIENCE: Type.Optional(
    Type.String({
      pattern: '^\\S+$',
      description: 'What those tokens must be for: best the address of `/mcp` as clients call it',
    }),
  ),
  AUTH_JWKS_URL: Type.Optional(secureUrl('Where the keys of that issuer are')),
  RATE_LIMIT_MAX: Type.Integer({
    minimum: 1,
    default: 600,
    description: 'Requests of one caller in a window',
  }),
  RATE_LIMIT_WINDOW_MS: Type.Integer({
    minimum: 1_000,
    default: 60_000,
    description: 'Milliseconds of that window',
  }),
  MAX_CONCURRENT_REQUESTS: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 2_000,
    description:
      'Requests in work at once in one process, streams that have begun not counted; the surplus gets 503. One caller has at most two thirds of it',
  }),
  MAX_EVENT_LOOP_DELAY_MS: Type.Integer({
    minimum: 10,
    maximum: 60_000,
    default: 250,
    description:
      'Milliseconds that a process may be behind before it refuses a part of the requests with 503',
  }),
  MAX_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 10_000,
    description: 'Connections from callers in one process; more are closed at once',
  }),
  MAX_STREAMS_PER_CALLER: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 100,
    description:
      'Event streams and MCP subscriptions of one caller at once in one process; more are refused with 429',
  }),
  CORS_ORIGINS: list('Comma-separated origins that browsers may call from'),
  ANTHROPIC_API_KEY: modelKey('Key of Anthropic: sessions may then ask Claude'),
  ANTHROPIC_BASE_URL: modelUrl(
    'Where Anthropic’s Messages API is; without it `https://api.anthropic.com`',
  ),
  OPENAI_API_KEY: modelKey('Key of OpenAI, or of the server at `OPENAI_BASE_URL`'),
  OPENAI_BASE_URL: modelUrl(
    'Where chat completions are; without it `https://api.openai.com/v1`. Ollama: `http://localhost:11434/v1`; also llama.cpp, vLLM, gateways. Such a server may need no key',
  ),
  DEFAULT_MODEL: Type.Optional(
    Type.String({
      pattern: '^[\\w.:@-]+(/[\\w.:@-]+)*$',
      maxLength: 200,
      description:
        'Model of sessions that name none: `provider/model`, `provider` (`anthropic`, `openai`, `echo`), or a model’s name. Without it the first provider that is configured, and without any `echo`, which only says what it was given',
    }),
  ),
  MODEL_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    maximum: 3_600_000,
    default: 120_000,
    description:
      'Milliseconds until a model’s first token, retries included, and between two parts of its reply',
  }),
  MODEL_REPLY_TIMEOUT_MS: Type.Integer({
    minimum: 100,
    maximum: 3_600_000,
    default: 600_000,
    description: 'Milliseconds for a model’s whole reply',
  }),
  MODEL_CONTEXT_TOKENS: Type.Integer({
    minimum: 1_024,
    maximum: 10_000_000,
    default: 8_192,
    description:
      'Tokens that a prompt and its reply may have together, for models whose name tells nothing: set it to what your own server is started with',
  }),
  ALLOWED_HOSTS: list(
    'Comma-separated names that `/mcp` may be called by, beside those of this machine. Without it: with a loopback `HOST` no others, else all',
  ),
  MCP_TOOLSETS: list(
    `Comma-separated sets of MCP tools that are offered: ${TOOLSETS.map((name) => `\`${name}\``).join(', ')}. Without it all`,
  ),
  WORKERS: Type.Integer({
    minimum: 1,
    maximum: 128,
    default: 1,
    description:
      'Processes on this machine that share the port. One that ends is replaced; SIGHUP replaces all, one after the other. Without Redis each has a cache and limits of its own',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    url(
      'Where traces are delivered by OTLP over HTTP, for example `http://localhost:4318`. Without it there are none, at no cost',
    ),
  ),
  OTEL_EXPORTER_OTLP_HEADERS: list(
    'Comma-separated `name=value`, percent-encoded, sent with each delivery of traces',
  ),
  OTEL_RESOURCE_ATTRIBUTES: list(
    'Comma-separated `name=value`, percent-encoded: what is said of this service in traces, for example `deployment.environment.name=staging`',
  ),
  OTEL_SERVICE_NAME: Type.String({
    minLength: 1,
    maxLength: 200,
    default: NAME,
    description:
      'Name of this service in traces; goes before a `service.name` in `OTEL_RESOURCE_ATTRIBUTES`',
  }),
  OTEL_TRACES_SAMPLER: Type.Union(
    [
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ].map((name) => Type.Literal(name)) as TLiteral<SamplerName>[],
    {
      default: 'parentbased_always_on',
      description:
        'Which requests are traced. With a `parentbased_` one whoever sends a `traceparent` decides',
    },
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'Share of the traces that a `traceidratio` sampler keeps, 0 to 1',
  }),
  LOG_LEVEL: Type.Union(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) =>
      Type.Literal(level),
    ),
    { default: 'info', description: 'Least level that is logged' },
  ),
  TRUST_PROXY: Type.Boolean({
    default: false,
    description:
      'Take the caller’s address from `X-Forwarded-For`: only behind a proxy that sets it',
  }),
})
