/** A request's body, as far as both protocols have it. */
export interface Body {
  readonly model: string
  readonly messages: readonly { role: string; content: string }[]
  readonly stream?: boolean
  readonly [field: string]: unknown
}

export interface Usage {
  readonly input: number
  readonly output: number
}

export interface Ending {
  /** Why the model stopped, in the protocol's own word. */
  readonly reason?: string
  /** Null: the server does not tell. */
  readonly usage?: Usage | null
}

/** A body that is refused: the status and the words for it. */
export interface Refusal {
  readonly status: number
  readonly type: string
  readonly message: string
}

/** How one provider says things on the wire. */
export interface Protocol {
  readonly path: string
  /** What the base URL has after the origin. */
  readonly basePath: string
  /** As the real one would refuse it. */
  check(
    headers: Readonly<Record<string, unknown>>,
    body: Body,
    key: string | undefined,
  ): Refusal | undefined
  begin(body: Body): string
  text(body: Body, text: string): string
  end(body: Body, ending: Ending): string
  ping(): string
  /** In the middle of a stream. */
  error(type: string, message: string): string
  /** The body of an answer that is an error. */
  problem(refusal: Refusal & { code?: string }): object
}

export const bearerOf = (headers: Readonly<Record<string, unknown>>): string | undefined =>
  /^Bearer (.+)$/.exec(String(headers.authorization ?? ''))?.[1]

/** Roughly, as for English. */
export const tokensOf = (body: Body): number => Math.ceil(JSON.stringify(body.messages).length / 4)
