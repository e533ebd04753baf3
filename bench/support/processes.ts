import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process holds, by proc(5). */
export interface Held {
  /** Bytes. */
  readonly rss: number
  readonly descriptors: number
  readonly sockets: number
}

export function heldBy(pid: number): Held {
  const folder = `/proc/${pid}/fd`
  const targets = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`)
    } catch {
      // It was closed meanwhile.
      return ''
    }
  })
  const open = targets.filter((target) => target !== '')
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return {
    rss: Number(resident) * 1024,
    descriptors: open.length,
    sockets: open.filter((target) => target.startsWith('socket:')).length,
  }
}

/**
 * The sum of a metric's series, of those whose labels have `label`.
 * @throws Error where there is none
 */
export function metricIn(text: string, name: string, label = ''): number {
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(label))
  const values = lines.filter((line) => /^\w+(\{|\s)/.test(line.slice(0, name.length + 1)))
  if (values.length === 0) throw new Error(`there is no metric ${name}`)
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
