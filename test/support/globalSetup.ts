import { execFile } from 'node:child_process'
import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { startRedis } from './redis.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real Redis that all test files share: `inject('redisUrl')`. Keys of a test need a prefix of its own. */
    redisUrl: string
  }
}

const INSTALL = 'apt-get update && apt-get install -y redis-server'
const POLICY = '/usr/sbin/policy-rc.d'
const run = promisify(execFile)

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await needRedisServer()
  const given = process.env.TEST_REDIS_URL || process.env.REDIS_URL
  // The service that is tested must not find the developer's own.
  delete process.env.REDIS_URL
  if (given) {
    project.provide('redisUrl', given)
    return async () => {}
  }
  const redis = await startRedis()
  project.provide('redisUrl', redis.url)
  return () => redis.close()
}

/** Tests that break their Redis start one of their own, so the binary is needed in any case. */
async function needRedisServer(): Promise<void> {
  if (await installed()) return
  const debian = await readFile('/etc/debian_version').catch(() => undefined)
  if (debian === undefined || process.getuid?.() !== 0) {
    throw new Error(`The tests need redis-server. On Debian or Ubuntu: sudo sh -c '${INSTALL}'`)
  }
  console.log(`redis-server is missing: ${INSTALL}`)
  const unstarted = await keepServicesFromStarting()
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await run('sh', ['-c', INSTALL], { env, maxBuffer: 64 * 1024 * 1024 })
  } finally {
    await unstarted()
  }
}

const installed = () =>
  run('redis-server', ['--version']).then(
    () => true,
    () => false,
  )

/** invoke-rc.d(8): a policy that exits with 101 forbids the package to start its service. */
async function keepServicesFromStarting(): Promise<() => Promise<void>> {
  const present = await access(POLICY).then(
    () => true,
    () => false,
  )
  if (present) return async () => {}
  await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rm(POLICY, { force: true })
}
