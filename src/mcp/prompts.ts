import type { TSchema } from '@sinclair/typebox'
import type { Contracts } from '../context/request/contract.ts'
import { parseRequest } from '../context/request/request.ts'
import { invalid, ServiceError } from '../core/errors.ts'
import { type FetchOptions, fetchContext, textOf } from './fetchContext.ts'
import { listing } from './protocol/listing.ts'
import { CODES, isObject, RpcError } from './protocol/message.ts'
import type { CacheHint, Call, Methods } from './protocol/methods.ts'

/** A request to a model, made of instructions and of a context as it is now. */
export interface Prompt {
  readonly name: string
  readonly title: string
  readonly description: string
  /** The context type that it is about: without it there is no such prompt. */
  readonly type: string
  readonly arguments: readonly PromptArgument[]
  readonly instructions: string
}

interface PromptArgument {
  readonly name: string
  readonly description: string
  readonly required: boolean
}

const argument = (name: string, description: string, required = true): PromptArgument => ({
  name,
  description,
  required,
})

const REPOSITORY = [
  argument('owner', 'Account that owns the repository'),
  argument('repo', 'Name of the repository'),
]

const PROMPTS: readonly Prompt[] = [
  {
    name: 'triage_issue',
    title: 'Triage an issue',
    description: 'Kind, severity, what is missing, and the next step of an issue.',
    type: 'github_issue',
    arguments: [...REPOSITORY, argument('issue_number', 'Number of the issue')],
    instructions: `Triage the issue below. Say in this order:
1. What it is: bug, feature request, question, or something else; and about which part.
2. How severe it is, and for whom; quote what that rests on.
3. What is missing to act on it, as questions to its author.
4. Whether it seems to be a duplicate or solved already, by what it refers to.
5. Labels that fit, and the next step.`,
  },
  {
    name: 'review_pull_request',
    title: 'Review a pull request',
    description: 'Findings on a pull request, by file and line.',
    type: 'github_pull_request',
    arguments: [...REPOSITORY, argument('pull_number', 'Number of the pull request')],
    instructions: `Review the pull request below. First say in two sentences what it does and whether that is what its description promises. Then list findings, the gravest first: file and line, what is wrong, when it goes wrong, and how to mend it. Look for faults of logic, missing cases and tests, security, and changes that break callers. Leave style to linters. Heed what reviewers have said already and which checks fail. Where parts of the diff were left out, fetch what you need before you judge it. End with a verdict: approve, comment, or request changes.`,
  },
  {
    name: 'explain_repository',
    title: 'Explain a repository',
    description: 'What a repository is for, how it is built, and where to start reading.',
    type: 'github_repo',
    arguments: REPOSITORY,
    instructions: `Explain the repository below to a developer who is new to it: what it is for and for whom; how it is built, by its main parts and what they do; how to run and test it; how alive it is, by its commits and releases; and which five files to read first, and why. Say what you could not tell from what is shown.`,
  },
  {
    name: 'fix_failing_run',
    title: 'Fix a failing run',
    description: 'Why a workflow run fails, and the change that mends it.',
    type: 'github_workflow_run',
    arguments: [
      ...REPOSITORY,
      argument('run_id', 'Id of the run; without it the latest that failed', false),
      argument('branch', 'Branch of the latest failing run', false),
      argument('pull_number', 'Pull request of the latest failing run', false),
    ],
    instructions: `The workflow run below failed. Find out why: name the step that failed first, quote the lines of its log that show the cause, and tell that cause from what merely follows from it. Say whether it is the code, the test, the workflow or the machine. Then fetch the files that matter and propose the smallest change that mends it, as a diff. If it looks like chance, say what shows that.`,
  },
]

export interface PromptOptions extends FetchOptions {
  readonly contracts: Contracts
}

/** Tokens of the context that a prompt holds: it has the conversation to itself. */
const BUDGET = 8_000

/** The prompts whose context types there are. */
export function promptsFor(contracts: Contracts): readonly Prompt[] {
  return PROMPTS.filter(({ type }) => contracts.has(type))
}

/** `prompts/list` and `prompts/get`. */
export function promptMethods(options: PromptOptions, hint: CacheHint): Methods {
  const known = promptsFor(options.contracts)
  const listed = known.map(({ name, title, description, arguments: args }) => ({
    name,
    title,
    description,
    arguments: args,
  }))
  return {
    'prompts/list': listing('prompts', listed, hint),
    async 'prompts/get'({ name, arguments: args = {} }, call) {
      const prompt = known.find((one) => one.name === name)
      if (!prompt) throw unknownPrompt(known)
      if (!isObject(args)) throw invalid('/arguments', 'must be an object')
      const text = await contextOf(options, prompt, args, call)
      const said = (words: string) => ({ role: 'user', content: { type: 'text', text: words } })
      const messages = [said(prompt.instructions), said(text)]
      return { description: prompt.description, messages }
    },
  }
}

function unknownPrompt(known: readonly Prompt[]): RpcError {
  const names = known.map(({ name }) => name).join(', ')
  return new RpcError(CODES.invalidParams, `Unknown prompt. There are ${names}.`)
}

/** The context as text: what clients show of embedded resources differs. */
async function contextOf(
  options: PromptOptions,
  prompt: Prompt,
  args: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<string> {
  const { contracts } = options
  const provider = contracts.get(prompt.type)?.provider
  if (!provider) throw new ServiceError('unknown_context_type', 'There is no such context type.')
  const missing = prompt.arguments.find(({ name, required }) => required && !args[name])
  if (missing) throw invalid(`/${missing.name}`, `is required. ${missing.description}.`)
  const include = everythingOf(provider.params.properties.include)
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== ''))
  const request = parseRequest(contracts, {
    context_type: prompt.type,
    params: include ? { ...given, include } : given,
    max_tokens: BUDGET,
  })
  return textOf((await fetchContext(options, request, call)).entry.body)
}

/** All that a type can add to its block, where it lets the caller choose. */
function everythingOf(include: TSchema | undefined): unknown[] | undefined {
  const items = include?.items as TSchema | undefined
  return items?.enum ?? items?.anyOf?.map((member: TSchema) => member.const)
}
