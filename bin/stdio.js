#!/usr/bin/env node
/**
 * The Model Context Protocol on stdin and stdout, for clients that start a package by its name,
 * whatever Node they have.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

const LEAST = 24
const own = new URL('../src/', import.meta.url).href

if (Number.parseInt(process.versions.node, 10) < LEAST) startAnew()
else await serve()

async function serve() {
  // Node runs no TypeScript below `node_modules` (nodejs.org/api/typescript.html, "Type stripping in
  // dependencies"): the types are stripped here where it is installed there.
  if (own.includes('/node_modules/')) nodeModule.registerHooks({ load: strip })
  await import('../src/stdio.ts')
}

function strip(url, context, next) {
  if (!url.startsWith(own) || !url.endsWith('.ts')) return next(url, context)
  const source = nodeModule.stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
  return { format: 'module', source, shortCircuit: true }
}

/** By the Node that is installed with the package on Linux. */
function startAnew() {
  const node = bundledNode()
  if (node === undefined) {
    process.stderr.write(
      `This needs Node ${LEAST} or newer; it was started by ${process.version}.\n`,
    )
    process.exitCode = 1
    return
  }
  const self = fileURLToPath(import.meta.url)
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
}

function bundledNode() {
  try {
    const { resolve } = nodeModule.createRequire(import.meta.url)
    const manifest = resolve(`node-linux-${process.arch}/package.json`)
    return process.platform === 'linux' ? manifest.replace('package.json', 'bin/node') : undefined
  } catch {
    return undefined
  }
}
