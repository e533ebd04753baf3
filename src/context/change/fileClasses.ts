/** What kind of file a path names, as far as a path tells: the most telling changes are kept first. */
const CLASSES = ['source', 'test', 'docs', 'generated'] as const
export type FileClass = (typeof CLASSES)[number]

/** Written by tools, or by others (github.com/github-linguist/linguist: generated.rb, vendor.yml). */
const GENERATED = [
  /(?:^|\/)(?:node_modules|vendor|third_party|Godeps|Pods|Carthage|bower_components|dist|__snapshots__|\.yarn)\//,
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock)$/,
  /(?:^|\/)(?:Cargo\.lock|poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock|Gemfile\.lock|composer\.lock|go\.sum|mix\.lock|pubspec\.lock|Podfile\.lock|Package\.resolved|flake\.lock|gradle\.lockfile|packages\.lock\.json|\.terraform\.lock\.hcl)$/,
  /\.(?:min\.(?:js|css|mjs)|map|snap|pb\.go|pb\.(?:cc|h)|g\.dart|freezed\.dart|designer\.cs|svg)$/i,
  /_pb2(?:_grpc)?\.pyi?$/,
  /\.generated\.[^./]+$|(?:^|[./_-])generated(?:[./_-]|$)/i,
]
const TEST = [
  /(?:^|\/)(?:tests?|specs?|__tests__|__mocks__|testdata|fixtures|e2e)\//i,
  /[._-](?:test|spec)s?\.[^./]+$/i,
  /(?:^|\/)test_[^/]+$|(?:^|\/)conftest\.py$|[a-z]Tests?\.(?:java|kt|cs|swift)$/,
]
const DOCS = [
  /(?:^|\/)docs?\//i,
  /\.(?:md|mdx|markdown|rst|adoc|txt)$/i,
  /(?:^|\/)(?:LICEN[CS]E|NOTICE|AUTHORS|CHANGELOG|CODEOWNERS)[^/]*$/i,
]

export function classOf(path: string): FileClass {
  const is = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(path))
  if (is(GENERATED)) return 'generated'
  if (is(TEST)) return 'test'
  return is(DOCS) ? 'docs' : 'source'
}

/** 0 is what matters most. */
export const classRank = (path: string): number => CLASSES.indexOf(classOf(path))
