#!/usr/bin/env node
/**
 * The Model Context Protocol on stdin and stdout, for clients that start a package by its name. Node
 * runs no TypeScript below `node_modules` (nodejs.org/api/typescript.html, "Type stripping in
 * dependencies"), so the types are stripped here where it is installed there.
 */
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

const own = new URL('../src/', import.meta.url).href

if (own.includes('/node_modules/')) {
  registerHooks({
    load(url, context, next) {
      if (!url.startsWith(own) || !url.endsWith('.ts')) return next(url, context)
      const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
      return { format: 'module', source, shortCircuit: true }
    },
  })
}

await import('../src/stdio.ts')
