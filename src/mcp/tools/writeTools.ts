import { type Static, type TObject, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { IssueWrites, Made } from '../../context/issue/writes.ts'
import { faulty } from '../../context/request/faults.ts'
import { IssueNumber, Owner, Repo } from '../../core/schemas.ts'
import { SCOPES } from '../../core/scopes.ts'
import type { Call, Result } from '../protocol/methods.ts'
import { splitName } from './repositoryName.ts'
import { argumentsOf } from './schema.ts'
import type { Annotations, Arguments, Tool } from './tool.ts'

const WRITES: Annotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
}

const OUTPUT = {
  type: 'object',
  properties: { number: { type: 'integer' }, url: { type: 'string' } },
  required: ['number', 'url'],
}

/** GitHub's own bound on the text of an issue or comment. */
const Body = Type.String({ maxLength: 65_536, description: 'Text in Markdown' })

const NewIssue = Type.Object(
  {
    owner: Owner,
    repo: Repo,
    title: Type.String({ minLength: 3, maxLength: 256, description: '3 to 256 characters' }),
    body: Type.Optional(Body),
    labels: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100 }),
    ),
    assignees: Type.Optional(
      Type.Array(Owner, { maxItems: 10, description: 'Logins, at most 10' }),
    ),
  },
  { additionalProperties: false },
)

const NewComment = Type.Object(
  {
    owner: Owner,
    repo: Repo,
    issue_number: IssueNumber,
    body: Type.String({ ...Body, minLength: 1 }),
  },
  { additionalProperties: false },
)

/** The tools that change GitHub: there only where the operator switches them on. */
export function writeTools({ addComment, createIssue }: IssueWrites): Tool[] {
  return [
    writeTool(
      {
        name: 'github_create_issue',
        title: 'Create an issue',
        description: 'Creates an issue in a repository, given as owner/repo.',
        params: NewIssue,
        done: 'Created issue',
      },
      createIssue,
    ),
    writeTool(
      {
        name: 'github_add_comment',
        title: 'Comment on an issue',
        description: 'Comments on an issue or pull request of a repository, given as owner/repo.',
        params: NewComment,
        done: 'Commented on issue',
      },
      addComment,
    ),
  ]
}

interface Definition<Params extends TObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly params: Params
  readonly done: string
}

function writeTool<Params extends TObject>(
  { done, params, ...shown }: Definition<Params>,
  write: (input: Static<Params>, caller: Call['caller'] & Pick<Call, 'signal'>) => Promise<Made>,
): Tool {
  const check = TypeCompiler.Compile(params)
  const parse = (args: Arguments): Static<Params> => {
    const given = withNumber(splitName(args))
    if (check.Check(given)) return given
    throw faulty(check, params, given, '', shown.name)
  }
  return {
    ...shown,
    inputSchema: byOneName(params),
    outputSchema: OUTPUT,
    annotations: WRITES,
    toolset: 'issues',
    scope: SCOPES.write,
    async run(args, { caller, signal }): Promise<Result> {
      const input = parse(args)
      caller.served(shown.name)
      const made = await write(input, { ...caller, signal })
      const text = `${done} #${made.number}: ${made.url}`
      return { content: [{ type: 'text', text }], structuredContent: made }
    },
  }
}

/** Models send numbers as text too. */
function withNumber(args: Arguments): Arguments {
  const { issue_number: number } = args
  return typeof number === 'string' && /^\d{1,10}$/.test(number)
    ? { ...args, issue_number: Number(number) }
    : args
}

/** The schema with `repository` in place of owner and name. */
function byOneName(params: TObject) {
  const { properties, required, type } = argumentsOf(params, {})
  const { owner: _owner, repo: _repo, ...others } = properties
  const names = required?.filter((name) => name !== 'owner' && name !== 'repo') ?? []
  return {
    type,
    properties: { repository: { type: 'string' }, ...others },
    required: ['repository', ...names],
  }
}
