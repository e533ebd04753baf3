import type { Ending } from './protocol.ts'

/** One answer, as a script plays it: written to a real socket at once. */
export interface Stage {
  /** Status and headers of a stream, and what it begins with. */
  begin(headers?: Readonly<Record<string, string>>): void
  text(text: string): void
  /** Resolves when all that was written has left for the client. */
  drained(): Promise<void>
  ping(): void
  end(ending?: Ending): void
  /** An error in the middle of the stream, and its end. */
  error(type: string, message: string): void
  /** Breaks the connection. */
  cut(): void
  /** Ends the answer as if it were whole. */
  stop(): void
  /** Bytes as they are. */
  raw(bytes: string): void
  /** A whole answer that is an error. */
  fail(status: number, refusal: Fault, headers?: Readonly<Record<string, string>>): void
  /** A whole answer of any kind. */
  answer(status: number, headers: Readonly<Record<string, string>>, body: string): void
  /** What the last message says. */
  readonly asked: string
}

export interface Fault {
  readonly type: string
  readonly message: string
  readonly code?: string
}

export type Script = (stage: Stage) => void | Promise<void>

/** A whole reply. */
export function says(texts: readonly string[], ending?: Ending): Script {
  return (stage) => {
    stage.begin()
    for (const text of texts) stage.text(text)
    stage.end(ending)
  }
}

export function fails(
  status: number,
  fault: Partial<Fault> = {},
  headers?: Readonly<Record<string, string>>,
): Script {
  return (stage) =>
    stage.fail(status, { type: 'api_error', message: 'It went wrong.', ...fault }, headers)
}

/** Takes the request and never answers. */
export const silent: Script = () => {}

/** What a stand-in says when nobody told it what to say. */
export const chatters: Script = (stage) => {
  const text = `This is a stand-in for a model. The last message has ${stage.asked.length} characters.`
  return says(text.match(/\s*\S+/g) ?? [])(stage)
}
