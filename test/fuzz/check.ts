import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Document, FuzzRequest } from './requests.ts'

export interface FuzzAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** What is wrong with an answer; undefined where it is as the document says. */
export type Check = (
  request: FuzzRequest,
  answer: FuzzAnswer,
  gitHub?: 'well' | 'failing',
) => string | undefined

const DOCUMENT = 'document'
const PROBLEM = '#/components/schemas/Problem'
const UNLISTED = new Set([400, 401, 403, 404, 405, 406, 413, 414, 415, 429])

/** Holds answers against the document: status, media type and body. */
export function createCheck(document: Document): Check {
  // The document describes; what it says of formats and examples is for people.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false })
  ajv.addSchema(document as object, DOCUMENT)
  const compiled = new Map<string, ValidateFunction>()
  const validator = (pointer: string) => {
    const known = compiled.get(pointer)
    if (known) return known
    const made = ajv.compile({ $ref: `${DOCUMENT}${pointer}` })
    compiled.set(pointer, made)
    return made
  }

  return ({ headers, method, operation }, { body, contentType, status }, gitHub = 'well') => {
    // A token that nobody has is GitHub's to refuse.
    const asksForIt = gitHub === 'failing' || 'x-github-token' in headers
    if (status >= 500 && !(asksForIt && isUpstream(body))) return `${status}: ${body.slice(0, 300)}`
    const listed = operation?.responses[String(status)]
    if (!operation || method === 'HEAD') {
      // There is nothing, or something else that the document speaks of elsewhere.
      if (status < 400 || method === 'HEAD') return undefined
      if (!UNLISTED.has(status)) return `${status} at an address that is not there`
      return bodyFault(PROBLEM, contentType, 'application/problem+json', body)
    }
    if (!listed) return `the status ${status} is not in the document: ${body.slice(0, 200)}`
    const types = Object.keys(listed.content ?? {})
    if (types.length === 0)
      return body === '' ? undefined : `${status} has a body: ${body.slice(0, 100)}`
    const mediaType = contentType.split(';', 1)[0] ?? ''
    if (!types.includes(mediaType))
      return `the media type ${contentType} of ${status} is not in the document`
    if (!mediaType.endsWith('json')) return undefined
    const at = pointerTo(document, operation, status, mediaType)
    return bodyFault(at, contentType, mediaType, body)
  }

  function bodyFault(pointer: string, type: string, wanted: string, body: string) {
    if (!type.startsWith(wanted))
      return `the media type is ${type || 'missing'}: ${body.slice(0, 100)}`
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch {
      return `no JSON: ${body.slice(0, 100)}`
    }
    const validate = validator(pointer)
    if (validate(value)) return undefined
    return `not by its schema: ${ajv.errorsText(validate.errors)}: ${body.slice(0, 300)}`
  }
}

/** GitHub's own failures, and what the service says of them. */
const isUpstream = (body: string) => /"code":"(upstream|provider|model)_\w+"/.test(body)

function pointerTo(document: Document, operation: object, status: number, type: string): string {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, found] of Object.entries(methods)) {
      if (found !== operation) continue
      const steps = ['paths', path, method, 'responses', String(status), 'content', type, 'schema']
      return `#/${steps.map(escaped).join('/')}`
    }
  }
  throw new Error('an operation of another document')
}

/** RFC 6901, section 3, in a URI's fragment. */
const escaped = (step: string) =>
  encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))
