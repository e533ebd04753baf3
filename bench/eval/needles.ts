/**
 * What is looked for: facts as people and programs write them, and questions as an agent asks them:
 * in other forms of the words, with words of their own, never a copy.
 */
export interface Needle {
  readonly text: string
  readonly query: string
}

/** Said somewhere in a discussion or a document. */
export const FACTS: readonly Needle[] = [
  {
    query: 'memory leak after bad gateway responses',
    text: 'We traced the leak to the keep-alive agent: its sockets are never destroyed once the load balancer has answered 502.',
  },
  {
    query: 'why do people get logged out on Safari',
    text: 'Safari drops the session cookie because it is set with SameSite=None but without Secure, so users are logged out on every reload.',
  },
  {
    query: 'which version first broke Windows paths',
    text: 'Bisecting shows 4.7.2 as the first bad release: since then backslashes in a Windows path are treated as escapes.',
  },
  {
    query: 'time zone off by one day in exported invoices',
    text: 'The exporter formats dates in UTC, hence an invoice issued in Auckland before noon carries the previous day.',
  },
  {
    query: 'how to make the migration resumable',
    text: 'If the migration is interrupted, start it again with --resume-from and the last checkpoint id; finished shards are skipped.',
  },
  {
    query: 'deadlock between the two workers',
    text: 'Both workers lock the rows of `orders` in opposite order, so Postgres kills one of them with a deadlock every few minutes.',
  },
  {
    query: 'who decided to drop Python 3.8',
    text: 'The steering group voted on Tuesday to stop supporting Python 3.8 from the next major on; the minutes are in the wiki.',
  },
  {
    query: 'workaround for corrupted uploads above 2 GB',
    text: 'Until this is fixed, split anything larger than two gigabytes: the multipart uploader overflows a 32-bit counter and corrupts the last part.',
  },
  {
    query: 'permission needed to read organization secrets',
    text: 'A fine-grained token lacks access to organisation secrets unless an admin grants it the "Secrets: read" permission.',
  },
  {
    query: 'slow query caused by missing index',
    text: 'EXPLAIN shows a sequential scan over events; adding an index on (tenant_id, created_at) brings the dashboard from 9 s to 80 ms.',
  },
  {
    query: 'emoji truncated in push notifications',
    text: 'Notifications are cut by UTF-16 code units, which splits surrogate pairs and leaves a replacement character at the end of the push text.',
  },
  {
    query: 'was the vulnerability assigned a CVE',
    text: 'This was reported privately as CVE-2024-31415 and the advisory goes public with the patch release on Thursday.',
  },
  {
    query: 'flaky test for renewing certificates',
    text: 'The renewal spec is flaky as it compares expiry dates to the second while the fake CA backdates certificates by a random jitter.',
  },
  {
    query: 'maxRetriesPerRequest setting recommended for queues',
    text: 'For blocking consumers set `maxRetriesPerRequest` to null, otherwise the queue gives up after twenty attempts and the job is lost.',
  },
  {
    query: 'dark mode contrast is unreadable in tables',
    text: 'In the dark theme the zebra rows of our data grid have a contrast ratio of only 1.9:1, well below what WCAG demands.',
  },
  {
    query: 'how many customers are affected by the outage',
    text: 'Support counted 37 affected customers during the incident, all of them on the Frankfurt cluster.',
  },
  {
    query: 'proxy strips authorization header on redirects',
    text: 'curl keeps it, but our corporate proxy removes `Authorization` whenever the upstream redirects to another host, which is why downloads are refused.',
  },
  {
    query: 'rollback plan if the deploy goes wrong',
    text: 'Should anything go wrong, flip the `checkout_v2` flag off and redeploy the tag from last Friday; the schema is backward compatible.',
  },
  {
    query: 'duplicate webhooks deliveries',
    text: 'Each delivery is processed twice because the handler acknowledges only after the job is done, and by then the sender has already retried.',
  },
  {
    query: 'licence problem with the bundled fonts',
    text: 'Legal says that we may not ship the typeface: its licence forbids redistribution inside of an installer.',
  },
  {
    query: 'ARM builds segfault on startup',
    text: 'On aarch64 the binary crashes at start with a segmentation fault, because the allocator assumes 4 KiB pages and this kernel uses 64 KiB.',
  },
  {
    query: 'reproduction steps for the lost update',
    text: 'To reproduce: open the same record in two tabs, save in the first, then in the second; the earlier change is silently overwritten.',
  },
  {
    query: 'deprecation date of the v1 endpoint',
    text: 'Version 1 of the endpoint is going to be switched off on 30 June; after that it answers 410 Gone.',
  },
  {
    query: 'CPU usage from regex backtracking',
    text: 'A single crafted header pins a core for minutes: the regular expression that parses it backtracks catastrophically.',
  },
]

/** Lines of programs, with what someone who has not seen them would ask. */
export const CODE: readonly Needle[] = [
  {
    query: 'exponential backoff with jitter',
    text: 'const waitMs = Math.min(ceilingMs, baseMs * 2 ** attempt)\nreturn waitMs / 2 + jitterOf(waitMs / 2)',
  },
  {
    query: 'where are expired sessions purged',
    text: 'async function purgeExpiredSessions(store) {\n  await store.deleteWhere((session) => session.expiresAt < clock.now())',
  },
  {
    query: 'constant time comparison of signatures',
    text: 'if (given.byteLength !== wanted.byteLength) return false\nreturn timingSafeEqual(given, wanted) // signature of the webhook',
  },
  {
    query: 'rounding of tax amounts',
    text: 'export const roundTaxAmount = (cents) => Math.sign(cents) * Math.round(Math.abs(cents))',
  },
  {
    query: 'feature flag for the new checkout',
    text: "if (await flags.isEnabled('new-checkout', customer)) {\n  return renderCheckoutV2(cart)",
  },
  {
    query: 'max upload size',
    text: 'const MAX_UPLOAD_SIZE = 25 * 1024 * 1024\nif (part.bytesRead > MAX_UPLOAD_SIZE) throw new PayloadTooBig()',
  },
  {
    query: 'escaping html in user names',
    text: 'const safeUserName = user.name.replace(/[&<>"\']/g, (sign) => HTML_ESCAPES[sign])',
  },
  {
    query: 'how is the tenant id read from the token',
    text: "const tenantId = claims['https://example.com/tenant_id'] ?? claims.tid\nif (!tenantId) throw new MissingTenant()",
  },
  {
    query: 'database connection pool size',
    text: "pool = new Pool({ max: Number(env.DB_POOL_SIZE ?? 12), idleTimeoutMillis: 30_000 })\npool.on('error', onIdleClientError)",
  },
  {
    query: 'leap year bug in date parsing',
    text: 'const daysInFebruary = isLeapYear(year) ? 29 : 28\nif (month === 2 && day > daysInFebruary) return undefined',
  },
  {
    query: 'csv export quoting',
    text: "function quoteCsvField(value) {\n  return '\"' + String(value).replaceAll('\"', '\"\"') + '\"'",
  },
  {
    query: 'password hashing parameters',
    text: 'return argon2.hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })',
  },
  {
    query: 'lock is released when the process crashes',
    text: "await redis.set(lockKey(name), owner, 'PX', LOCK_TTL_MS, 'NX')\nprocess.once('uncaughtExceptionMonitor', () => releaseLock(name, owner))",
  },
  {
    query: 'locale fallback for translations',
    text: "const dictionary = translations.get(locale) ?? translations.get(locale.split('-')[0]) ?? english",
  },
  {
    query: 'geo distance calculation',
    text: 'const a = Math.sin(dLat / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin(dLon / 2) ** 2\nreturn 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(a)) // great-circle distance',
  },
  {
    query: 'thumbnail generation for images',
    text: "await sharp(original).resize(320, 320, { fit: 'inside' }).webp().toFile(thumbnailPath)",
  },
  {
    query: 'unsubscribe link in mails',
    text: "headers.set('List-Unsubscribe', bracketed(unsubscribeUrl(recipient.token)))",
  },
  {
    query: 'sql injection fix in search',
    text: "// The search built its SQL from what was typed: open to injection.\nreturn db('articles').whereLike('title', around(escapeLike(term)))",
  },
  {
    query: 'graceful shutdown drains connections',
    text: "process.on('SIGTERM', async () => {\n  await listener.stopAccepting()\n  await drainOpenConnections(GRACE_PERIOD_MS)",
  },
  {
    query: 'currency conversion rates cached for how long',
    text: 'const exchangeRates = memoize(fetchExchangeRates, { maxAge: 6 * HOURS })',
  },
]

/** Files by their paths alone. */
export const PATHS: readonly Needle[] = [
  { query: 'invoice rounding', text: 'src/billing/InvoiceRounding.ts' },
  { query: 'how do we send password reset mails', text: 'src/accounts/passwordResetMailer.ts' },
  { query: 'rate limiter for anonymous users', text: 'src/middleware/anonymous-rate-limit.js' },
  { query: 'kubernetes deployment manifest', text: 'deploy/k8s/deployment.yaml' },
  { query: 'schema migration that adds tenants', text: 'db/migrate/20240611_add_tenants.sql' },
  { query: 'checkout page component', text: 'web/components/CheckoutPage.tsx' },
  { query: 'geocoding of addresses', text: 'lib/geo/address_geocoder.rb' },
  { query: 'release workflow', text: '.github/workflows/release.yml' },
  { query: 'translation strings in german', text: 'locales/de/translations.json' },
  { query: 'OAuth callback handler', text: 'src/auth/oauthCallback.ts' },
  { query: 'changes to the shopping cart reducer', text: 'web/state/shoppingCartReducer.ts' },
  { query: 'pdf rendering', text: 'src/documents/PDFRenderer.java' },
]
