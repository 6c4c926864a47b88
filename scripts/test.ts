import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buildIfStale } from './build'
import { listFiles } from './files'
import { ROOT } from './settings'

/**
 * Everything that must hold, in one command: format, lint, types, unit and database tests, the build, browser tests. Each step is named with
 * its time; a step that fails does not hide the ones after it. The last line sums the tests up (a failed step without tests counts as one
 * failure), and the exit code is 0 only when nothing failed.
 *
 *   npm test                             npm test -- --only unit,db               npm test -- --only db lib/ledger
 */
const STEPS = ['format', 'lint', 'types', 'unit', 'db', 'build', 'browser'] as const
type Step = (typeof STEPS)[number]
type Count = { passed: number; failed: number }

const { wanted, filters } = readArguments(process.argv.slice(2))
const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-run-'))
chmodSync(folder, 0o755) // PostgreSQL's own user must pass through when root runs the tests
const total: Count = { passed: 0, failed: 0 }
const failedSteps: string[] = []

try {
  const startedAt = Date.now()
  await step('format', () => run('oxfmt', ['--check']))
  await step('lint', () => run('oxlint', ['--deny-warnings']))
  await step('types', async () => (await run('next', ['typegen'], { isQuiet: true })) && run('tsc', ['--noEmit']))
  const projects = (['unit', 'db'] as const).filter((each) => wanted.has(each))
  if (projects.length > 0) await step(projects.join(' + '), () => runVitest(projects), projects)
  await step('build', build)
  await step('browser', runPlaywright)
  console.log(
    `\n${failedSteps.length === 0 ? 'All steps passed' : `Failed: ${failedSteps.join(', ')}`} in ${seconds(startedAt)}.`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`sluice: ${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)

function readArguments(args: string[]): { wanted: Set<Step>; filters: string[] } {
  const at = args.indexOf('--only')
  if (at === -1) return { wanted: new Set(STEPS), filters: args }
  const names = (args[at + 1] ?? '').split(',')
  const unknown = names.filter((name) => !(STEPS as readonly string[]).includes(name))
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}; the steps are ${STEPS.join(', ')}.`)
    process.exit(1)
  }
  return { wanted: new Set(names as Step[]), filters: args.toSpliced(at, 2) }
}

/** Runs a step when it is wanted. It answers whether all was well, or its count of tests. */
async function step(name: string, work: () => Promise<boolean | Count>, needs: Step[] = [name as Step]): Promise<void> {
  if (!needs.some((each) => wanted.has(each))) return
  const startedAt = Date.now()
  console.log(`\n── ${name}`)
  const result = await work().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    return false
  })
  const count = typeof result === 'boolean' ? { passed: 0, failed: result ? 0 : 1 } : result
  total.passed += count.passed
  total.failed += count.failed
  if (count.failed > 0) failedSteps.push(name)
  console.log(`── ${name}: ${count.failed === 0 ? 'ok' : 'FAILED'}, ${seconds(startedAt)}`)
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}

/** Runs a program of node_modules to its end. True when it was content. */
async function run(
  program: string,
  args: string[],
  options: { env?: Record<string, string>; isQuiet?: boolean } = {},
): Promise<boolean> {
  const child = spawn(path.join(ROOT, 'node_modules', '.bin', program), args, {
    cwd: ROOT,
    stdio: ['ignore', options.isQuiet ? 'ignore' : 'inherit', 'inherit'],
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...options.env },
  })
  const end = () => child.kill('SIGTERM')
  process.on('SIGTERM', end)
  process.on('disconnect', end)
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1))
    child.once('close', (status) => resolve(status ?? 1))
  })
  process.off('SIGTERM', end)
  process.off('disconnect', end)
  return code === 0
}

async function runVitest(projects: string[]): Promise<Count> {
  const report = path.join(folder, 'vitest.json')
  const isContent = await run('vitest', [
    'run',
    ...projects.flatMap((each) => ['--project', each]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ])
  const { numPassedTests, numFailedTests } = readJson<{ numPassedTests: number; numFailedTests: number }>(report, {
    numPassedTests: 0,
    numFailedTests: 0,
  })
  // A file that could not even be loaded has no tests to count.
  return { passed: numPassedTests, failed: Math.max(numFailedTests, isContent ? 0 : 1) }
}

/** The build must not need a database or a secret: pages are made when they are asked for. */
async function build(): Promise<boolean> {
  const settings = {
    ...process.env,
    SLUICE_MODE: 'demo',
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:2/none',
    AUTH_SECRET: 'only-for-building-'.repeat(3),
  }
  await buildIfStale(settings, console.log)
  return true
}

async function runPlaywright(): Promise<boolean | Count> {
  const specs = listFiles([path.join(ROOT, 'e2e')]).filter((file) => file.endsWith('.spec.ts'))
  if (specs.length === 0) {
    console.log('There are no browser tests yet.')
    return true
  }
  const report = path.join(folder, 'playwright.json')
  const isContent = await run('playwright', ['test', ...filters], {
    env: { SLUICE_E2E_DATA_DIR: path.join(folder, 'shop'), SLUICE_E2E_REPORT: report },
  })
  const { stats } = readJson(report, { stats: { expected: 0, unexpected: 0, flaky: 0 } })
  return { passed: stats.expected, failed: Math.max(stats.unexpected + stats.flaky, isContent ? 0 : 1) }
}

function readJson<Shape>(file: string, otherwise: Shape): Shape {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Shape
  } catch {
    return otherwise
  }
}
