import { statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { abortable } from '../../core/abortable.ts'
import type { Provider } from '../../core/provider.ts'
import { contractFaults, kindOf, lineOf } from './check.ts'
import { type GuardOptions, guardProvider } from './guard.ts'

export interface LoadOptions extends GuardOptions {
  /** Files, relative to `folder`, or names of packages that are installed there. */
  readonly modules: readonly string[]
  readonly folder: string
  /** Those that the service has already. */
  readonly others: readonly Provider[]
  /** Milliseconds that one module may take to load. */
  readonly loadTimeoutMs?: number
}

export interface Loaded {
  readonly providers: readonly Provider[]
  /** One line for each fault, which names the module; where there is one, none may be used. */
  readonly faults: readonly string[]
}

const LOAD_TIMEOUT = 10_000
/** The name by which a module has the contract of the service that loads it. */
const CONTRACT = 'github-context-service/provider'

/** Loads providers from outside, each checked once and guarded from then on. */
export async function loadProviders(options: LoadOptions): Promise<Loaded> {
  const { modules, others } = options
  const providers: Provider[] = []
  const faults: string[] = []
  if (modules.length > 0) offerContract()
  for (const [index, name] of modules.entries()) {
    const report = (what: string) => faults.push(`${name}: ${what}`)
    if (modules.indexOf(name) !== index) report('is listed twice')
    else {
      for (const candidate of await candidatesOf(name, options, report)) {
        const found = contractFaults(candidate, [...others, ...providers])
        for (const fault of found) report(`${nameOf(candidate)}${fault}`)
        if (found.length === 0) providers.push(guardProvider(candidate as Provider, options))
      }
    }
  }
  return { providers, faults }
}

async function candidatesOf(
  name: string,
  { folder, loadTimeoutMs = LOAD_TIMEOUT }: LoadOptions,
  report: (fault: string) => void,
): Promise<readonly unknown[]> {
  const limit = AbortSignal.timeout(loadTimeoutMs)
  // Keeps the process for the time: a module that waits for nothing at all would end it.
  const hold = setTimeout(() => {}, loadTimeoutMs + 1_000)
  try {
    const module = await abortable(importFrom(folder, name), limit)
    return exportsOf(module, report)
  } catch (error) {
    report(
      limit.aborted
        ? `did not load in ${loadTimeoutMs / 1000} s`
        : `cannot be loaded: ${lineOf(error)}`,
    )
    return []
  } finally {
    clearTimeout(hold)
  }
}

function exportsOf(
  module: Readonly<Record<string, unknown>>,
  report: (fault: string) => void,
): readonly unknown[] {
  const given = module.default ?? module.providers
  if (given === undefined) report('exports no provider: neither `default` nor `providers`')
  else if (Array.isArray(given) && given.length === 0) report('exports an empty array')
  else if (typeof given !== 'object' || given === null)
    report(`exports ${kindOf(given)}, not a provider or an array of them`)
  else return [given].flat()
  return []
}

/** The type's name before its faults, where it has one. */
function nameOf(candidate: unknown): string {
  const { type } = (candidate ?? {}) as { type?: unknown }
  return typeof type === 'string' ? `${JSON.stringify(type.slice(0, 60))}: ` : ''
}

async function importFrom(folder: string, name: string): Promise<Record<string, unknown>> {
  const path = resolve(folder, name)
  if (
    name.startsWith('.') ||
    isAbsolute(name) ||
    statSync(path, { throwIfNoEntry: false })?.isFile()
  ) {
    return import(pathToFileURL(path).href)
  }
  // A package is looked for as a file of the folder would look for it.
  const parentURL = pathToFileURL(join(folder, 'providers.js')).href
  let ours = true
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!ours || specifier !== name) return next(specifier, context)
      ours = false
      return next(specifier, { ...context, parentURL })
    },
  })
  try {
    return await import(name)
  } finally {
    hooks.deregister()
  }
}

/**
 * Lets every module import the contract by its name, as the very modules that the service runs on:
 * nothing need be installed next to a provider, and nothing can be of another version.
 */
function offerContract(): void {
  const url = new URL('../../provider.ts', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === CONTRACT ? { url, shortCircuit: true } : next(specifier, context),
  })
}
