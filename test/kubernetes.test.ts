import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Secret } from 'kubernetes-models/v1/Secret'
import { Service } from 'kubernetes-models/v1/Service'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import manifest from '../package.json' with { type: 'json' }
import { readConfig } from '../src/config.ts'
import { Environment } from '../src/variables.ts'

const FOLDER = join(import.meta.dirname, '../docker/k8s')
const load = async (name: string) => parse(await readFile(join(FOLDER, name), 'utf8'))

/** Kubernetes' own schemas, as TypeScript classes that check by them. */
const KINDS = {
  Deployment,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceMonitor,
} as const
const files = (await readdir(FOLDER)).filter((name) => name !== 'kustomization.yaml')
const name = { 'app.kubernetes.io/name': 'github-context-service' }
const deployment = await load('deployment.yaml')
const pod = deployment.spec.template.spec
const [container] = pod.containers

describe('docker/k8s', () => {
  it.each(files)('%s passes the schema of its kind', async (file) => {
    const resource = await load(file)
    const Kind = KINDS[resource.kind as keyof typeof KINDS]
    expect(() => new Kind(resource).validate()).not.toThrow()
    expect(() => new Kind({ ...resource, spec: 'none', data: 1 } as never).validate()).toThrow()
    expect(resource.metadata.name).toBe('github-context-service')
  })

  it('applies all of them but the example of a secret', async () => {
    const { resources } = await load('kustomization.yaml')
    expect(resources.toSorted()).toEqual(
      files.filter((file) => !file.includes('example')).toSorted(),
    )
  })

  it('finds its pods by one label everywhere', async () => {
    expect(deployment.spec.selector.matchLabels).toEqual(name)
    expect(deployment.spec.template.metadata.labels).toEqual(name)
    expect((await load('service.yaml')).spec.selector).toEqual(name)
    expect((await load('pdb.yaml')).spec.selector.matchLabels).toEqual(name)
    expect((await load('networkpolicy.yaml')).spec.podSelector.matchLabels).toEqual(name)
    expect((await load('servicemonitor.yaml')).spec.selector.matchLabels).toEqual(name)
    expect((await load('service.yaml')).metadata.labels).toEqual(name)
  })

  it('runs the image of this version, not as root, on a file system that it cannot write', () => {
    expect(container.image).toBe(`github-context-service:${manifest.version}`)
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }])
  })

  it('asks the probes that the service has', () => {
    expect(container.startupProbe.httpGet.path).toBe('/health/live')
    expect(container.livenessProbe.httpGet.path).toBe('/health/live')
    expect(container.readinessProbe.httpGet.path).toBe('/health/ready')
  })

  it('gives it the time that draining takes', () => {
    const sleep = container.lifecycle.preStop.sleep.seconds
    // Requests that run have 10 s (src/main.ts), after half a second's notice.
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(sleep + 10 + 0.5)
  })

  it('configures it by names that it knows, with values that it takes', async () => {
    const { stringData } = await load('secret.example.yaml')
    const given = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    )
    const variables = { ...given, ...stringData }
    for (const variable of Object.keys(variables)) {
      expect([variable, variable in Environment.properties]).toEqual([variable, true])
    }
    expect(() =>
      readConfig({ HOST: '0.0.0.0', NODE_ENV: 'production', ...variables }),
    ).not.toThrow()
    const memory = Number(given.CACHE_MAX_BYTES) / 1024 / 1024
    expect(memory * 3).toBeLessThan(Number.parseInt(container.resources.limits.memory, 10))
  })
})
