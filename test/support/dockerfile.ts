import { matchesGlob } from 'node:path'

export interface Instruction {
  readonly keyword: string
  readonly flags: Readonly<Record<string, string>>
  /** Without the flags, lines joined. */
  readonly text: string
}

export interface Stage {
  readonly image: string
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

/** The stages of a Dockerfile, as far as this repository's needs the grammar (no heredocs). */
export function parseDockerfile(source: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = []
  const lines = source
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  for (const line of lines.filter((each) => each.trim() !== '')) {
    const instruction = parseInstruction(line)
    if (instruction.keyword === 'FROM') {
      const [image = '', , name] = instruction.text.split(/\s+/)
      stages.push({ image, name, instructions: [] })
    } else {
      const stage = stages.at(-1)
      if (!stage) throw new Error(`Before the first FROM: ${line}`)
      stage.instructions.push(instruction)
    }
  }
  return stages
}

function parseInstruction(line: string): Instruction {
  const [, keyword = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? []
  const [, given = '', text = ''] = /^((?:--\S+\s+)*)(.*)$/.exec(rest) ?? []
  const flags = given.trim().split(/\s+/).filter(Boolean)
  return {
    keyword: keyword.toUpperCase(),
    flags: Object.fromEntries(
      flags.map((flag) => {
        const [name = '', ...value] = flag.slice(2).split('=')
        return [name, value.join('=')]
      }),
    ),
    text,
  }
}

/** What stands behind one keyword of a stage. */
export function all({ instructions }: Stage, keyword: string): Instruction[] {
  return instructions.filter((instruction) => instruction.keyword === keyword)
}

/** COPY's `--from` (a stage), its sources and its target. */
export function copiesOf({ flags, text }: Instruction) {
  const paths = text.trim().split(/\s+/)
  return { from: flags.from, sources: paths.slice(0, -1), target: paths.at(-1) as string }
}

/** All `ENV NAME=value` of a stage; values without quotes. */
export function environmentOf(stage: Stage): Record<string, string> {
  const pairs = all(stage, 'ENV').flatMap(({ text }) => text.trim().split(/\s+/))
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [name, value.join('=')]
    }),
  )
}

/** The JSON form of CMD, the only one that gets signals. */
export function commandOf(stage: Stage): string[] {
  return JSON.parse(all(stage, 'CMD').at(-1)?.text ?? '')
}

/** The JSON form of HEALTHCHECK CMD. */
export function healthCheckOf(stage: Stage): string[] {
  return JSON.parse(
    all(stage, 'HEALTHCHECK')
      .at(-1)
      ?.text.replace(/^CMD\s+/, '') ?? '',
  )
}

/** Whether a path of the build context is left out (docs.docker.com, ".dockerignore files": the last match counts). */
export function createIgnored(dockerignore: string): (path: string) => boolean {
  const rules = dockerignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ ignores: !line.startsWith('!'), pattern: line.replace(/^!/, '') }))
  return (path) => {
    const parts = path.split('/')
    // A pattern that matches a folder holds for all that is in it.
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    const rule = rules.findLast(({ pattern }) => paths.some((each) => matches(each, pattern)))
    return rule?.ignores ?? false
  }
}

/** To Docker a dot is a letter like any other; to Node `*` leaves dotfiles out. */
const matches = (path: string, pattern: string) =>
  matchesGlob(path, pattern) || (pattern === '*' && !path.includes('/'))
