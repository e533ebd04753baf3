/** What an access token may permit (RFC 6749, section 3.3). API keys permit everything. */
export const SCOPES = { read: 'context:read', write: 'github:write' } as const
export type Scope = (typeof SCOPES)[keyof typeof SCOPES]
