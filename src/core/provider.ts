import type { Static, TObject } from '@sinclair/typebox'
import type { GitHub } from './github.ts'
import type { Omission, Removed } from './schemas.ts'

/** Seconds. The sum is the longest time that an answer can be served. */
export interface CachePolicy {
  /** Served without asking GitHub. */
  readonly freshFor: number
  /** Then served at once while one refresh runs in the background. */
  readonly staleFor: number
  /** Then kept only for the time that GitHub does not answer. */
  readonly keepFor: number
  /** Served without asking GitHub, in place of `freshFor`, while its webhooks tell of every change. */
  readonly toldFor?: number
}

/** GitHub's word on who may read a repository. */
export interface RepositoryWord {
  readonly owner: string
  readonly repo: string
  readonly visibility: 'public' | 'private'
}

/** Who wrote a text, with GitHub's word for their relation to the repository. */
export interface Author {
  readonly login: string
  /** `author_association`, for example `OWNER` or `NONE`. */
  readonly association: string
}

/**
 * Whose words a text is: a person's, the repository's (merged files, releases, settings: what its
 * maintainers let in), or this service's own.
 */
export type Source = Author | 'repository' | 'service'

/** A piece of text that may be left out, or cut, when a budget is tight. Pieces come in reading order. */
export interface Piece {
  /** The part it belongs to: the name under which its omission is reported. */
  readonly part: string
  /** Heading line put before the text: the service's own words, names of others by `oneLine`. */
  readonly heading?: string
  /**
   * Pieces that follow each other and have one `group` stand together without a blank line; below
   * the first that was kept, `further` is the heading: what all of them share is said once.
   */
  readonly group?: string
  /** Heading line in place of `heading` below another of the group; none unless given. */
  readonly further?: string
  /** Names what the text shows, where another piece may show the same. */
  readonly shows?: string
  /** Of a `whole` piece: stands in place of heading and text where another that shows the same is kept whole, in this block or one before. */
  readonly repeats?: Repeated
  readonly text: string
  /** Whose words `text` is. Every line of another's text is marked, so that it never passes for the service's. */
  readonly by: Source
  /** Each line of `text` begins with a mark already: a line number or a sign of a diff. */
  readonly marked?: boolean
  /** Lower is kept first, over all blocks of the answer. */
  readonly rank: number
  /** Kept as it is or not at all: never cut. */
  readonly whole?: boolean
}

/** The short form of a piece whose text is there already; whose words it is, and its marks, are the piece's. */
export interface Repeated {
  /** `shows` of the piece that has the text. */
  readonly shows: string
  readonly heading: string
  readonly text: string
}

/** A piece that was kept; `text` may be less than the piece's own, with markers where it was cut. */
export interface Kept {
  readonly piece: Piece
  readonly text: string
}

/** Why something was left out. */
export type FitReason = 'max_tokens' | 'min_trust'

/** A block before it is fitted into the budget. */
export interface Draft {
  /** `type` of the block, one of `alsoBlocks`, where it is another than the provider's `blockType`. */
  readonly type?: string
  readonly id: string
  readonly title: string
  readonly url: string
  /**
   * First lines of the content, always there, the first a heading: the service's own words. The
   * title is put below the heading where it is another's.
   */
  readonly head: string
  /** Whose words the title is. */
  readonly by: Source
  readonly pieces: readonly Piece[]
  /** The part of the fetch that it was read with, where an answer has several: see `FetchContext.part`. */
  readonly from?: FetchContext
  /** The structured fields; must hold nothing of a piece that was not kept, nor more than its kept text. */
  fields(kept: readonly Kept[]): Record<string, unknown>
  /** Names what was left out, each with the request that fetches it. */
  omit(dropped: readonly Piece[], cut: readonly Piece[], reason: FitReason): Omission[]
}

/** What a provider answers. Equal data must give equal answers. */
export interface Answer {
  /** In reading order. A block that needs a further round may be a promise: those before it can be sent. */
  readonly blocks: readonly (Draft | Promise<Draft>)[]
  /** Left out for reasons other than budget and trust; a promise where a late block decides it. */
  readonly omitted: readonly Omission[] | Promise<readonly Omission[]>
  /**
   * The repository that GitHub answered for: another than was asked for where that was renamed.
   * None where the answer is of no single repository.
   */
  readonly repository?: { readonly owner: string; readonly repo: string }
  /** Further names of what it depends on, known from the answer alone. */
  readonly tags?: readonly string[]
  /**
   * Whether GitHub said that strangers may read it: decides how long it is kept. `repository`: it did
   * not say, and they may read it where they may read `repository`, of which nothing else is in it.
   */
  readonly visibility: 'public' | 'private' | 'repository'
  /** What GitHub said on the way of who may read which repository. */
  readonly said?: readonly RepositoryWord[]
  /** Where this answer changes sooner, or later, than its type's do; known when all blocks are. */
  readonly cache?: () => CachePolicy | undefined
}

/**
 * What a text is: Markdown, where HTML comments are not seen; code, whose lines keep their places; or
 * a name or title, which is one line.
 */
export type TextKind = 'markdown' | 'code' | 'line'

export interface FetchContext {
  /** Its answers are clean: nothing that is not seen is in their texts, and no secret. */
  readonly github: GitHub
  /** Origin of GitHub's pages for people, for example `https://github.com`. */
  readonly webUrl: string
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
  /** Whether the operator lets this repository be read: for answers that name several. */
  allowed(repository: { readonly owner: string; readonly repo: string }): boolean
  /** The same for one block of several: what was removed from its texts is counted on that block. */
  part(): FetchContext
  /** Cleans a text that is from elsewhere; what is removed from it is counted too. */
  clean(text: string, kind: TextKind): string
  /** What was removed so far, from all that was read with this. */
  removed(): Removed
}

/**
 * A page on GitHub: a template such as `uri`, which may go on with a query (`?type=code&q={q}`) and a
 * fragment (`#issuecomment-{comment_id}`). Names that are no params, such as `{_}`, stand for anything.
 */
export type Page =
  | string
  | {
      readonly uri: string
      /** Params that the page says in other words; in braces what is found in its address. */
      readonly params: Readonly<Record<string, string>>
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
  /** Further pages on GitHub that lead here. */
  readonly pages?: readonly Page[]
  readonly params: Params
  readonly block: TObject
  /** Schemas of further blocks of its answers, by their `type`. */
  readonly alsoBlocks?: Readonly<Record<string, TObject>>
  readonly example: Static<Params>
  /**
   * Defaults in place of those in `params` where the caller says by `query` what matters and by
   * `max_tokens` how much: then more is read to choose from.
   */
  readonly defaultsWithQuery?: Readonly<Record<string, number | readonly string[]>>
  readonly cache: CachePolicy
  /**
   * `own`: data of its own, open to every caller of the service; GitHub is not asked.
   * Default `github`: answers are kept apart by credential.
   */
  readonly data?: 'github' | 'own'
  /** Whether it names no repository and heeds `FetchContext.allowed` itself. */
  readonly filtered?: boolean
  /** The account whose GitHub App installation is asked, where that is not the param `owner`. */
  account?(params: Static<Params>): string | undefined
  /** Names of what it depends on; a webhook invalidates by them. */
  tags(params: Static<Params>): string[]
  /**
   * Names the state that the data is in, where that is cheap to tell. It is asked before each answer,
   * and an answer made of another state is never served, however fresh: for data that changes
   * without a word. @throws ServiceError as `fetch`
   */
  version?(params: Static<Params>, signal: AbortSignal): string | Promise<string>
  /** @throws ServiceError as `GitHub` throws it: providers never catch what they cannot mend. */
  fetch(params: Static<Params>, context: FetchContext): Promise<Answer>
}

/** Keeps the params' type inside `tags` and `fetch`, and widens it for the registry. */
export function defineProvider<const Params extends TObject>(provider: Provider<Params>): Provider {
  return provider as unknown as Provider
}
