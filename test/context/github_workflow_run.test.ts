import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { App, Block, Context } from '../support/app.ts'
import { follow } from '../support/follow.ts'
import {
  addCheckRun,
  addFiles,
  addJob,
  addPull,
  addRun,
  type GitHub,
  type Run,
  renameRepository,
  touch,
} from '../support/github/index.ts'
import { createRuns, jobsIn, linesIn, runRequest } from '../support/runs.ts'
import { startTalk, TALK } from '../support/talk.ts'

let github: GitHub
let app: App
beforeAll(async () => {
  ;({ github, app } = await startTalk())
})
afterAll(async () => {
  await app.close()
  await github.close()
})

const request = runRequest
const { failingJob, run } = createRuns(() => github)

describe('github_workflow_run', () => {
  it('tells which job and step failed, and the end of its log', async () => {
    const of = run({ display_title: 'Count to two', event: 'push' })
    const job = failingJob(of)
    addJob(github.world, TALK, of, { name: 'lint' })
    const { context, omitted } = await app.context(request({ run_id: of.body.id }))
    expect(context).toEqual([
      {
        type: 'github_workflow_run',
        id: `github_workflow_run:octo/talk@${of.body.id}`,
        title: 'Count to two',
        url: `https://github.com/octo/talk/actions/runs/${of.body.id}`,
        trust: 'maintainer',
        run_id: of.body.id,
        run_number: expect.any(Number),
        attempt: 1,
        workflow: 'Test',
        event: 'push',
        status: 'completed',
        conclusion: 'failure',
        branch: of.body.head_branch,
        sha: of.body.head_sha,
        actor: 'octocat',
        created_at: of.body.created_at,
        updated_at: expect.any(String),
        jobs_total: 2,
        jobs: [
          {
            job_id: job.body.id,
            name: 'test (24)',
            status: 'completed',
            conclusion: 'failure',
            started_at: of.body.created_at,
            completed_at: expect.any(String),
            url: `https://github.com/octo/talk/actions/runs/${of.body.id}/job/${job.body.id}`,
            failing_steps: [{ number: 2, name: 'Run npm test', conclusion: 'failure' }],
            annotations: [expect.objectContaining({ level: 'failure', path: 'a.ts', line: 3 })],
            log: [
              {
                step: 2,
                first_line: 1,
                last_line: 4,
                text: 'Run npm test\nnpm test\nexpected 1, got 2\n##[error]Process completed with exit code 1.',
              },
            ],
          },
          expect.objectContaining({ name: 'lint', conclusion: 'success', log: [] }),
        ],
        content: expect.stringMatching(
          /^# Workflow run \d+ of octo\/talk\n> Count to two\nhttps:\S+\nWorkflow: Test · Outcome: failure · Event: push · [^\n]*\n\n## Job test \(24\): failure\nFailing steps: 2 Run npm test · [^\n]*\n### failure at a\.ts:3\n> [\s\S]*got 2\n[\s\S]*\n### Log of step 2 Run npm test, lines 1–4 of 4\n> Run npm test\n> npm test\n> expected 1, got 2\n> ##\[error\]Process completed with exit code 1\.\n\n- success: lint$/,
        ),
        tokens: expect.any(Number),
      },
    ])
    expect(omitted).toEqual([])
  })

  it('names the job of each log and annotation, and no step that is not shown', async () => {
    const of = run()
    const names = ['test (22)', 'test (24)']
    for (const name of names) {
      const annotation = { path: 'a.ts', start_line: 3, annotation_level: 'failure' }
      failingJob(of, { name, annotations: [{ ...annotation, message: 'The quokka escaped' }] })
    }
    const asked = request({ run_id: of.body.id })
    const { context } = await app.context({ ...asked, max_tokens: 150, query: 'quokka escaped' })
    const content = context[0]?.content ?? ''
    const jobs = context[0]?.jobs as readonly { name: string; failing_steps: unknown[] }[]
    expect(content).toMatch(/^###.*, job test \(2[24]\)$/m)
    for (const { failing_steps, name } of jobs) {
      expect(content).toContain(name)
      if (failing_steps.length > 0) expect(content).toContain('2 Run npm test')
    }
    expect(jobs.filter(({ failing_steps }) => failing_steps.length === 0)).not.toEqual([])
  })

  it('never sends the credential to where logs are kept', async () => {
    github.blobs.requests.length = 0
    const of = run()
    failingJob(of)
    await app.context(request({ run_id: of.body.id }))
    expect(github.blobs.requests).toHaveLength(1)
    for (const { authorization, headers } of github.blobs.requests) {
      expect(authorization).toBeUndefined()
      expect(headers.join()).not.toMatch(/auth|cookie|token/)
    }
  })

  it('finds the latest failing run of a branch', async () => {
    const branch = 'feature/x'
    const older = run({ head_branch: branch })
    failingJob(older, { name: 'older' })
    const latest = run({ head_branch: branch })
    failingJob(latest, { name: 'latest' })
    addJob(github.world, TALK, latest, { name: 'lint' })
    const second = addRun(github.world, TALK, {
      head_sha: latest.body.head_sha,
      head_branch: branch,
      conclusion: 'failure',
      name: 'Docs',
    })
    failingJob(second, { name: 'docs' })
    const { context, omitted } = await app.context(request({ branch }))
    expect(context[0]?.run_id).toBe(second.body.id)
    expect(linesIn(context)).toContain('expected 1, got 2')
    expect(omitted).toEqual([
      {
        what: 'failing run',
        count: 1,
        reason: 'one_run',
        next: request({ run_id: latest.body.id }),
      },
    ])
    const [other] = await follow(app, omitted)
    expect(jobsIn([other as Block]).map(({ name }) => name)).toEqual(['latest', 'lint'])
  })

  it('finds it on an earlier commit where the head is well, its logs by what is named', async () => {
    const branch = 'mended'
    const failed = run({ head_branch: branch })
    failingJob(failed)
    const good = run({ head_branch: branch, conclusion: 'success' })
    addJob(github.world, TALK, good, { name: 'test' })
    const { context, omitted } = await app.context(request({ branch }))
    expect(context[0]?.run_id).toBe(failed.body.id)
    expect(linesIn(context)).toEqual([])
    expect(omitted).toMatchObject([
      { reason: 'limit', next: { params: { run_id: failed.body.id } } },
    ])
    expect(linesIn(await follow(app, omitted))).toContain('expected 1, got 2')
  })

  it('tells of the last run where none failed, and of none where there is none', async () => {
    const good = run({ conclusion: 'success' })
    addJob(github.world, TALK, good, { name: 'test' })
    const { context, omitted } = await app.context(request({ branch: good.body.head_branch }))
    expect(context[0]).toMatchObject({ run_id: good.body.id, conclusion: 'success' })
    expect([context[0]?.content, omitted]).toEqual([
      expect.stringMatching(/\n\n- success: test$/),
      [],
    ])
    addFiles(github.world, TALK, { x: 'y' }, { branch: 'quiet' })
    for (const params of [{ branch: 'quiet' }, { branch: 'no-such' }, { run_id: 1 }]) {
      const answer = await app.post(request(params))
      expect([answer.status, answer.json<{ code: string }>().code]).toEqual([404, 'not_found'])
    }
    expect((await app.post(request({ branch: 'quiet' }))).text).toContain(
      'has no run for the branch',
    )
  })

  it('finds the latest failing run of a pull request, of forks too, whose words are strangers’', async () => {
    const pull = addPull(github.world, TALK, { fork: null, title: 'From afar' })
    const of = addRun(github.world, TALK, {
      head_sha: pull.head.sha,
      head_branch: 'patch-1',
      conclusion: 'failure',
      event: 'pull_request',
    })
    of.body = { ...of.body, head_repository: null }
    failingJob(of)
    addCheckRun(github.world, TALK, { head_sha: pull.head.sha, name: 'cla', conclusion: 'failure' })
    touch(github.world)
    const block = await app.block(request({ pull_number: pull.issue.body.number }))
    expect([block.run_id, block.trust]).toEqual([of.body.id, 'stranger'])
    expect(linesIn([block])).toContain('expected 1, got 2')
    const maintained = await app.context({
      ...request({ run_id: of.body.id }),
      min_trust: 'maintainer',
    } as never)
    expect(maintained.context[0]?.content).not.toContain('got 2')
    expect((await app.post(request({ pull_number: 9_999 }))).status).toBe(404)
  })

  it('still finds it where a server does not know the head by its pull request', async () => {
    const pull = addPull(github.world, TALK, {})
    const of = addRun(github.world, TALK, { head_sha: pull.head.sha, conclusion: 'failure' })
    failingJob(of)
    const fault = github.fault({ match: /pull%2F\d+%2Fhead/, kind: 'status', status: 422 })
    const block = await app.block(request({ pull_number: pull.issue.body.number }))
    fault.remove()
    expect([block.run_id, linesIn([block]).length]).toEqual([of.body.id, 4])
  })

  it.each([
    [{}, ''],
    [{ run_id: 1, branch: 'x' }, ''],
    [{ branch: 'x', pull_number: 1 }, ''],
    [{ branch: 'x', job_id: 1 }, '/job_id'],
    [{ run_id: 1, step: 1 }, '/step'],
    [{ run_id: 0 }, '/run_id'],
    [{ branch: 'a..b' }, '/branch'],
  ])('refuses %o', async (params, name) => {
    const answer = await app.post(request(params))
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining(`"pointer":"/params${name}"`),
    ])
  })

  it('asks GitHub in two rounds', async () => {
    const of = run()
    for (const name of ['a', 'b', 'c']) failingJob(of, { name })
    const pull = addPull(github.world, TALK, {})
    const ofPull = addRun(github.world, TALK, { head_sha: pull.head.sha, conclusion: 'failure' })
    failingJob(ofPull)
    for (const [params, requests] of [
      // Run and jobs; then logs and annotations.
      [{ run_id: of.body.id }, 2 + 6],
      // Checks and failing runs of the branch; then run and jobs, logs and annotations.
      [{ branch: of.body.head_branch }, 2 + 2 + 6],
      [{ pull_number: pull.issue.body.number }, 2 + 2 + 2],
    ] as const) {
      github.resetCounts()
      github.latencyMs = 400
      await app.context({ ...request(params), max_age: 0 })
      github.latencyMs = 0
      expect([params, github.rounds(), github.count()]).toEqual([params, 2, requests])
    }
  })

  it('is kept for ten seconds while it runs', async () => {
    const ttl = async (of: Run) => {
      await app.post(request({ run_id: of.body.id }))
      const again = await app.post(request({ run_id: of.body.id }))
      return Number(/ttl=(\d+)/.exec(String(again.headers['cache-status']))?.[1])
    }
    const running = run({ status: 'in_progress' })
    addJob(github.world, TALK, running, { name: 'test', status: 'in_progress' })
    expect(await ttl(running)).toBeLessThanOrEqual(11)
    const done = run()
    failingJob(done)
    expect(await ttl(done)).toBeGreaterThan(11)
  })

  it('has a GET form, and a page on GitHub', async () => {
    const of = run()
    const job = failingJob(of)
    for (const path of [
      `/mcp/context/github_workflow_run?owner=octo&repo=talk&run_id=${of.body.id}&job_id=${job.body.id}`,
      `/mcp/context?url=https://github.com/octo/talk/actions/runs/${of.body.id}`,
    ]) {
      const { context } = (await app.get(path)).json<Context>()
      expect([context[0]?.run_id, linesIn(context).length]).toEqual([
        of.body.id,
        expect.any(Number),
      ])
      expect(linesIn(context).length).toBeGreaterThan(3)
    }
  })
})

describe('after a rename', () => {
  it('goes by the new name', async () => {
    const of = run()
    failingJob(of)
    renameRepository(github.world, TALK, 'Speech')
    const { context } = await app.context(request({ run_id: of.body.id }))
    expect(context[0]?.id).toBe(`github_workflow_run:octo/Speech@${of.body.id}`)
    expect(linesIn(context)).toHaveLength(4)
  })
})
