/** What one credential may do at once, on all replicas together. */
export interface Limits {
  /** Calls in flight. */
  readonly maxConcurrent: number
  /** Points in any minute; to read costs one. */
  readonly pointsPerMinute: number
}

/**
 * Whether GitHub is to be expected to limit its callers: GitHub Enterprise Server, known by its
 * base path, does not unless its operator says so (docs.github.com/enterprise-server/admin/configuring-settings/configuring-rate-limits).
 */
export function isLimited(apiUrl: string, setting: 'on' | 'off' | undefined): boolean {
  if (setting) return setting === 'on'
  return !new URL(apiUrl).pathname.replace(/\/+$/, '').endsWith('/api/v3')
}
