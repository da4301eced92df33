// deploy/kubernetes: each manifest is one that Kubernetes knows, down to the last field, and they fit each other, the image,
// the configuration and what their README has people make. No cluster and no kubectl is needed.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'
import { Ajv } from 'ajv'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parse, parseAllDocuments } from 'yaml'
import { theOnly } from '../support/image.ts'
import { repository } from './checkout.ts'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata?: { readonly name?: string }
}
const place = join(repository, 'deploy/kubernetes')
const read = (file: string): string => readFileSync(join(place, file), 'utf8')
const files = globSync('**/*.yaml', { cwd: place }).sort()
const isManifest = (file: string): boolean => !/(?:kustomization|^worker)\.yaml$/.test(file)
const manifestsOf = (file: string): readonly Manifest[] =>
  parseAllDocuments(read(file)).map((document) => document.toJS() as Manifest)
const manifests = files.filter(isManifest).flatMap(manifestsOf)

const schema = JSON.parse(readFileSync(join(repository, 'schemas/config.schema.json'), 'utf8'))
const models = [StatefulSet, Service, ServiceAccount, PodDisruptionBudget, ServiceMonitor]

/** What is wrong with a manifest. The validators pass over what they do not know: a field that none of them looks at. */
function problemsOf(manifest: Manifest): readonly string[] {
  const seen = new Map<object, Set<string | symbol>>()
  const watched = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const keys = new Set<string | symbol>()
    seen.set(value, keys)
    const copy = Array.isArray(value)
      ? value.map(watched)
      : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, watched(each)]))
    return new Proxy(copy, { get: (target, key) => (keys.add(key), Reflect.get(target, key)) })
  }
  const model = models.find(({ apiVersion, kind }) => apiVersion === manifest.apiVersion && kind === manifest.kind)
  if (model === undefined) return [`${manifest.kind} of ${manifest.apiVersion} is unknown here`]
  const wrong: string[] = []
  try {
    model.prototype.validate.call(watched(manifest))
  } catch (error) {
    wrong.push(String(error))
  }
  const unknown = [...seen].flatMap(([value, keys]) =>
    Object.keys(value)
      .filter((key) => !keys.has(key))
      .map((key) => `unknown: ${key} of ${JSON.stringify(value).slice(0, 60)}`),
  )
  return [...wrong, ...unknown]
}

interface Model<Made> {
  readonly kind: string
  new (data: never): Made
}

function only<Made>(model: Model<Made>, name = 'dagger-worker'): Made {
  const found = manifests.filter(({ kind, metadata }) => kind === model.kind && metadata?.name === name)
  assert.equal(found.length, 1, `${model.kind} ${name}`)
  return new model(found[0] as never)
}

suite('the manifests for Kubernetes', () => {
  const set = only(StatefulSet).spec!
  const pod = set.template.spec!
  const container = pod.containers[0]!
  const mounts = container.volumeMounts ?? []
  const volumes = pod.volumes ?? []
  const worker: { readonly [key: string]: unknown } = parse(read('worker.yaml'))

  test('are valid, without a field that Kubernetes does not know', () => {
    for (const manifest of manifests) assert.deepEqual(problemsOf(manifest), [], manifest.kind)
    assert.ok(manifests.length >= 6)
    const slip = structuredClone(only(StatefulSet))
    Object.assign(slip.spec!.template.spec!.containers[0]!, { readynessProbe: {}, imagePullPolicy: 1 })
    assert.equal(problemsOf(slip).length, 2, 'a slip is found')
  })

  test('are all put together by kustomize, as they are', () => {
    for (const file of files.filter((each) => each.endsWith('kustomization.yaml'))) {
      const folder = file.replace(/kustomization\.yaml$/, '')
      const { apiVersion, kind, resources, configMapGenerator = [], ...more } = parse(read(file))
      assert.match(
        `${apiVersion} ${kind}`,
        /^kustomize\.config\.k8s\.io\/(?:v1beta1 Kustomization|v1alpha1 Component)$/,
      )
      assert.deepEqual(more, {})
      const named = [...resources, ...configMapGenerator.flatMap((each: { files: readonly string[] }) => each.files)]
      const there = files.filter((each) => each.startsWith(folder) && !each.slice(folder.length).includes('/'))
      assert.deepEqual(
        named.map((name) => folder + name).sort(),
        there.filter((each) => each !== file),
      )
    }
  })

  test('confine the worker: no root, no rights, nothing to write to but its volume', () => {
    const [user, group] = theOnly('USER').split(':').map(Number)
    const { runAsUser, runAsGroup, fsGroup, runAsNonRoot, seccompProfile } = pod.securityContext!
    assert.deepEqual(
      { runAsUser, runAsGroup, fsGroup, runAsNonRoot, seccompProfile },
      {
        runAsUser: user,
        runAsGroup: group,
        fsGroup: group,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    )
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    assert.equal(pod.automountServiceAccountToken, false)
    assert.deepEqual(
      mounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath),
      [theOnly('VOLUME')],
    )
    for (const { secret } of volumes) if (secret) assert.equal(secret.defaultMode, 0o440, secret.secretName)
  })

  test('run the image of this version', () => {
    const { name, version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
    assert.equal(container.image, `${name}:${version}`)
    const paths = [...theOnly('ENV').matchAll(/=(\/\S+)/g)].map(([, path]) => path)
    for (const path of paths)
      assert.ok(
        mounts.some(({ mountPath }) => mountPath === path),
        path,
      )
    assert.deepEqual(container.args?.slice(0, 2), ['start', '--config'])
  })

  test('keep the names of Services out of the environment, where they would be settings', () => {
    assert.equal(pod.enableServiceLinks, false)
    const settings = readFileSync(join(repository, 'README.md'), 'utf8')
    for (const { name } of container.env ?? []) {
      if (name.startsWith('DAGGER_')) assert.ok(settings.includes(`${name}\``) || settings.includes(`$${name}`), name)
    }
  })

  test('find each other: names, labels and ports', () => {
    const { labels = {} } = set.template.metadata!
    const selectors = [
      set.selector.matchLabels,
      only(PodDisruptionBudget).spec?.selector?.matchLabels,
      ...(pod.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector?.matchLabels),
      ...['dagger-worker', 'dagger-worker-api'].map((name) => only(Service, name).spec?.selector),
    ]
    for (const selector of selectors) assert.deepEqual(selector, labels)
    const headless = only(Service)
    assert.equal(set.serviceName, headless.metadata?.name)
    assert.equal(headless.spec?.clusterIP, 'None')
    assert.equal(headless.spec?.publishNotReadyAddresses, true)
    const monitor = only(ServiceMonitor).spec
    assert.deepEqual(monitor.selector.matchLabels, headless.metadata?.labels)
    const ports = container.ports?.map(({ name, containerPort }) => `${name}:${containerPort}`)
    assert.deepEqual(ports, [`api:${String(worker['port'])}`])
    for (const name of ['dagger-worker', 'dagger-worker-api']) {
      assert.deepEqual(
        only(Service, name).spec?.ports?.map(({ targetPort, port }) => `${targetPort}:${port}`),
        ports,
      )
    }
    const url = `https://$(POD_NAME).${set.serviceName}:${String(worker['port'])}`
    for (const name of ['DAGGER_WORKER_ADVERTISED_URL', 'DAGGER_WORKER_SERVER'])
      assert.equal(container.env?.find((each) => each.name === name)?.value, url)
  })

  test('configure the worker with settings that it knows, and files that are mounted', () => {
    const validate = new Ajv({ strict: false }).compile(schema)
    assert.ok(validate(worker), JSON.stringify(validate.errors))
    const named = [
      ...Object.values(worker),
      ...(container.args ?? []),
      ...(container.env ?? []).map(({ value }) => value),
    ]
    for (const path of named.filter((each): each is string => String(each).startsWith('/'))) {
      assert.ok(
        mounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`)),
        path,
      )
    }
  })

  test('name nothing that is not there, or that their README does not say how to make, with all of its files', () => {
    const templates = (set.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? '')
    assert.deepEqual([...volumes.map(({ name }) => name), ...templates].sort(), mounts.map(({ name }) => name).sort())
    const { configMapGenerator } = parse(read('kustomization.yaml'))
    const readme = read('README.md')
    for (const { name, configMap, secret } of volumes) {
      if (configMap?.name === configMapGenerator[0].name) continue
      const kind = configMap ? 'configmap' : 'secret generic'
      const made = new RegExp(`^kubectl create ${kind} ${configMap?.name ?? secret?.secretName} (.*)$`, 'm').exec(
        readme,
      )?.[1]
      assert.ok(made, name)
      const at = mounts.find((mount) => mount.name === name)!.mountPath
      const used = [...JSON.stringify([worker, container.env]).matchAll(new RegExp(`"${at}/([^"]+)"`, 'g'))]
      for (const [, key] of used) assert.ok(made.includes(`--from-file=${key}`), `${name}: ${key}`)
    }
  })

  test('probe what is served, and give a worker the time that it takes', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container
    const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet)
    assert.deepEqual(
      asked.map((each) => each?.path),
      ['/service/live', '/service/live', '/service/ready'],
    )
    for (const each of asked) {
      assert.equal(each?.scheme, 'tlsCertFile' in worker ? 'HTTPS' : 'HTTP')
      assert.deepEqual(each?.httpHeaders, [{ name: 'Host', value: `localhost:${String(worker['port'])}` }])
    }
    const { periodSeconds = 0, failureThreshold = 0 } = startupProbe!
    assert.ok(periodSeconds * failureThreshold >= 300)
    assert.equal(pod.terminationGracePeriodSeconds, 60)
    assert.ok(set.replicas! > 1)
  })
})
