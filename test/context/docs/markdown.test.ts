import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outlineOf, rangeUnder, sectionsOf } from '../../../src/context/docs/markdown.ts'

const linesOf = (text: string) => text.split('\n')
const headings = (text: string) =>
  outlineOf(linesOf(text)).headings.map(({ level, line, text: words }) => [level, words, line])

describe('headings', () => {
  it.each<[string, string, unknown[]]>([
    [
      'of signs',
      '# One\ntext\n### Three ###\n####### none\n#none',
      [
        [1, 'One', 1],
        [3, 'Three', 3],
      ],
    ],
    ['indented by up to three spaces', '   # One\n    # code', [[1, 'One', 1]]],
    [
      'without words',
      '#\n\n##   ',
      [
        [1, '', 1],
        [2, '', 3],
      ],
    ],
    [
      'that end in a sign of their own',
      '# C#\n# F# #',
      [
        [1, 'C#', 1],
        [1, 'F#', 2],
      ],
    ],
    [
      'with a line below',
      'One\n===\n\nTwo\n---  \n',
      [
        [1, 'One', 1],
        [2, 'Two', 4],
      ],
    ],
    ['of several lines', 'One\nand more\n---', [[2, 'One and more', 1]]],
    [
      'right below another',
      '# One\nTwo\n---',
      [
        [1, 'One', 1],
        [2, 'Two', 2],
      ],
    ],
    ['not a rule', 'text\n\n---\n\n***\n# One', [[1, 'One', 6]]],
    ['not the rule after a list', '- item\n---\n1. item\n---\n# One', [[1, 'One', 5]]],
    ['not the rule after a quotation', '> quoted\n---\n# One', [[1, 'One', 3]]],
    ['not the lines of a table', '| a |\n| --- |\n| # b |', []],
    ['not in a fence', '```sh\n# no\n```\n# yes', [[1, 'yes', 4]]],
    ['not in a fence of tildes', '~~~\n# no\n```\n# no\n~~~~\n# yes', [[1, 'yes', 6]]],
    ['not in a longer fence', '````\n```\n# no\n```\n````\n# yes', [[1, 'yes', 6]]],
    ['not in a fence with a sign behind', '```\n# no\n``` x\n# no\n```\n# yes', [[1, 'yes', 6]]],
    ['not in a fence that nothing ends', '# yes\n```\n# no', [[1, 'yes', 1]]],
    ['not in a fence of a list', '- ```\n  # no\n  ```\n\n# yes', [[1, 'yes', 5]]],
    ['but after what only looks like one', '``` a`b\n# yes', [[1, 'yes', 2]]],
    ['not in indented code', '    # no\n\n\t# no\n\n    a\n---', []],
    [
      'with their form taken off',
      '# The `a_b` **[link](x)** <b>c</b> \\* {#id}',
      [[1, 'The a_b link c *', 1]],
    ],
    ['not in front matter', '---\ntitle: x\n# no\n---\n# yes', [[1, 'yes', 5]]],
    ['though front matter has no end', '---\n# yes\n', [[1, 'yes', 2]]],
  ])('%s', (_name, text, expected) => {
    expect(headings(text)).toEqual(expected)
  })

  it.each([
    ['---\ntitle: "Install it"\n---\n# Other', 'Install it'],
    ["+++\ntitle = 'Install it'\n+++\n", 'Install it'],
    ['---\nname: x\n...\nInstall it\n===', 'Install it'],
    ['## Second\n# Install it', 'Install it'],
    ['## Second', undefined],
    ['', undefined],
  ])('give the title: %j', (text, title) => {
    expect(outlineOf(linesOf(text)).title).toBe(title)
  })

  it('are found in linear time, whatever a line holds', () => {
    for (const line of [
      `# ${' '.repeat(200_000)}x`,
      `#${' #'.repeat(100_000)} x`,
      `${'- '.repeat(100_000)}x`,
      `# ${'[a]('.repeat(100_000)}`,
      `# ${'_'.repeat(200_000)}x`,
      `${'`'.repeat(200_000)}x\``,
      `---${' '.repeat(200_000)}x`,
    ]) {
      const startedAt = process.cpuUsage()
      outlineOf(['text', line, '---'])
      const { user } = process.cpuUsage(startedAt)
      expect([line.slice(0, 8), user < 1_000_000]).toEqual([line.slice(0, 8), true])
    }
  })
})

describe('sections', () => {
  const text = 'intro\n\n# A\na\n## B\nb\n### C\n## D\nd\n# E\n'

  it('stand under their headings', () => {
    const lines = linesOf(text)
    const sections = sectionsOf(outlineOf(lines), lines.length)
    expect(
      sections.map(({ headings: above, range }) => [
        above.join('/'),
        range.start_line,
        range.end_line,
      ]),
    ).toEqual([
      ['', 1, 2],
      ['A', 3, 4],
      ['A/B', 5, 6],
      ['A/B/C', 7, 7],
      ['A/D', 8, 9],
      ['E', 10, 11],
    ])
  })

  it('are all lines, each once, of any document', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        '# A',
        '## B',
        '###### C',
        'text',
        '---',
        '===',
        '```',
        '~~~',
        '- x',
        '> x',
      ),
      fc.string({ maxLength: 12 }).map((words) => words.replaceAll('\n', ' ')),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const covered = sectionsOf(outlineOf(lines), lines.length).flatMap(({ range }) =>
          Array.from(
            { length: range.end_line - range.start_line + 1 },
            (_, index) => range.start_line + index,
          ),
        )
        expect(covered).toEqual(lines.map((_, index) => index + 1))
      }),
    )
  })

  it.each<[string, [number, number] | undefined]>([
    ['B', [5, 7]],
    ['b', [5, 7]],
    ['## B', [5, 7]],
    ['#b', [5, 7]],
    ['A', [3, 9]],
    ['E', [10, 11]],
    ['F', undefined],
  ])('are found under %s', (wanted, range) => {
    const lines = linesOf(text)
    const found = rangeUnder(outlineOf(lines), wanted, lines.length)
    expect(found && [found.start_line, found.end_line]).toEqual(range)
  })

  it('are found by the anchors that GitHub makes', () => {
    const lines = linesOf('# What’s new?\n# `npm ci` & more\n# Same\n# Same\n# Über_uns')
    const outline = outlineOf(lines)
    const line = (anchor: string) => rangeUnder(outline, anchor, lines.length)?.start_line
    expect(['whats-new', '#npm-ci--more', 'same-1', 'über_uns'].map(line)).toEqual([1, 2, 4, 5])
  })
})
