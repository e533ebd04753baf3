import type { Static, TObject } from '@sinclair/typebox'
import type { GitHub } from './github.ts'
import type { Omission } from './schemas.ts'

/** Seconds. The sum is the longest time that an answer can be served. */
export interface CachePolicy {
  /** Served without asking GitHub. */
  readonly freshFor: number
  /** Then served at once while one refresh runs in the background. */
  readonly staleFor: number
  /** Then kept only for the time that GitHub does not answer. */
  readonly keepFor: number
}

/** A piece of text that stands or falls as one when a budget is tight. Pieces come in reading order. */
export interface Piece {
  /** The part it belongs to: the name under which its omission is reported. */
  readonly part: string
  /** Heading line put before the text. */
  readonly heading?: string
  readonly text: string
  /** Lower is kept first. */
  readonly rank: number
  /** Kept as it is or not at all: never cut. */
  readonly whole?: boolean
}

/** A piece that was kept; `text` may be shorter than the piece's own. */
export interface Kept {
  readonly piece: Piece
  readonly text: string
}

/** A block before it is fitted into the budget. */
export interface Draft {
  readonly id: string
  readonly title: string
  readonly url: string
  /** First lines of the content; always there. */
  readonly head: string
  readonly pieces: readonly Piece[]
  /** The structured fields; must hold nothing of a piece that was not kept, nor more than its kept text. */
  fields(kept: readonly Kept[]): Record<string, unknown>
  /** Names what the budget left out, each with the request that fetches it. */
  omit(dropped: readonly Piece[], cut: readonly Piece[]): Omission[]
}

/** What a provider answers. Equal GitHub data must give equal answers. */
export interface Answer {
  readonly blocks: readonly Draft[]
  /** Left out for reasons other than the token budget. */
  readonly omitted: readonly Omission[]
  /** The repository that GitHub answered for: another than was asked for where that was renamed. */
  readonly repository: { readonly owner: string; readonly repo: string }
  /** Whether GitHub said that strangers may read it: decides how long it is kept. */
  readonly visibility: 'public' | 'private'
}

export interface FetchContext {
  readonly github: GitHub
  /** Origin of GitHub's pages for people, for example `https://github.com`. */
  readonly webUrl: string
}

/**
 * One context type. Everything that the doors need is derived from it: validation, the OpenAPI
 * document, the catalogue, cache policy, metric labels, the GET and URL forms.
 */
export interface Provider<Params extends TObject = TObject> {
  readonly type: string
  /** `type` of its blocks. */
  readonly blockType: string
  readonly title: string
  readonly description: string
  /** RFC 6570 level 1, for example `github://{owner}/{repo}`; also the path of the page on GitHub. */
  readonly uri: string
  readonly params: Params
  readonly block: TObject
  readonly example: Static<Params>
  readonly cache: CachePolicy
  /** Names of what it depends on; a webhook invalidates by them. */
  tags(params: Static<Params>): string[]
  /** @throws ServiceError as `GitHub` throws it: providers never catch what they cannot mend. */
  fetch(params: Static<Params>, context: FetchContext): Promise<Answer>
}

/** Keeps the params' type inside `tags` and `fetch`, and widens it for the registry. */
export function defineProvider<const Params extends TObject>(provider: Provider<Params>): Provider {
  return provider as unknown as Provider
}
