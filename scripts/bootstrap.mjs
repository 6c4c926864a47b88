// The first step of every command: plain JavaScript without dependencies, so that any Node from 20 on can run it on a fresh clone.
// It installs the packages when they do not match package-lock.json, generates the database client when its schema changed, and
// then runs the given TypeScript file on the project's own Node 24.
//
//   node scripts/bootstrap.mjs scripts/start.ts [arguments]
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const MODULES = path.join(ROOT, 'node_modules')
const NODE = path.join(MODULES, 'node', 'bin', 'node')
const TSX = path.join(MODULES, 'tsx', 'dist', 'loader.mjs')
const GENERATED_STAMP = path.join(MODULES, '.cache', 'sluice', 'generated.txt')

const [script, ...scriptArguments] = process.argv.slice(2)

checkMachine()
if (!isInstalled()) install()
if (!isGenerated()) generate()
run()

/** @param {string} sentence @returns {never} */
function refuse(sentence) {
  console.error(sentence)
  process.exit(1)
}

function checkMachine() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    refuse(`Sluice runs on Linux x64; this is ${process.platform} ${process.arch}.`)
  if (Number(process.versions.node.split('.')[0]) < 20)
    refuse(`Sluice needs Node 20 or newer to start; this is ${process.version}.`)
  if (!script) refuse('Say which script to run, for example: node scripts/bootstrap.mjs scripts/start.ts')
}

/** npm notes at the end of an install what it put there; that note must name every package of the lock file in its version. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages
    const present = JSON.parse(readFileSync(path.join(MODULES, '.package-lock.json'), 'utf8')).packages
    return (
      existsSync(NODE) &&
      existsSync(TSX) &&
      Object.entries(wanted).every(([name, { version, optional }]) => {
        if (name === '') return true
        if (!present[name]) return optional === true
        return present[name].version === version
      })
    )
  } catch {
    return false
  }
}

function install() {
  try {
    accessSync(ROOT, constants.W_OK)
  } catch {
    refuse(`The packages cannot be installed: ${ROOT} is not writable for this user.`)
  }
  console.log('Installing packages (about a minute, once) …')
  // Our own node_modules/.bin comes first under npm, and the Node in it is about to be replaced.
  const outside = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(path.delimiter)
  const installed = spawnSync(
    'npm',
    ['ci', '--include=dev', '--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, PATH: outside } },
  )
  if (installed.error?.code === 'ENOENT')
    refuse('npm was not found: it comes with Node and is needed once, to install the packages.')
  if (installed.status !== 0) refuse('The packages could not be installed; npm says why above.')
  if (!existsSync(NODE)) refuse('The packages are installed, but the Node among them is not for this machine.')
}

/** @returns {string} a hash of what the generated client is made from */
function schemaHash() {
  const folder = path.join(ROOT, 'prisma', 'schema')
  const hash = createHash('sha256').update(readFileSync(path.join(MODULES, 'prisma', 'package.json')))
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(path.join(folder, name)))
  return hash.digest('hex')
}

function isGenerated() {
  return (
    existsSync(path.join(ROOT, 'lib', 'db', 'generated', 'client.ts')) &&
    existsSync(GENERATED_STAMP) &&
    readFileSync(GENERATED_STAMP, 'utf8') === schemaHash()
  )
}

function generate() {
  const generated = spawnSync(NODE, ['--import', TSX, 'scripts/generate.ts'], { cwd: ROOT, stdio: 'inherit' })
  if (generated.status !== 0) refuse('The database client could not be generated; Prisma says why above.')
  mkdirSync(path.dirname(GENERATED_STAMP), { recursive: true })
  writeFileSync(GENERATED_STAMP, schemaHash())
}

/**
 * Runs the script and ends as it ends. The channel between the two tells the script when this process is gone, however that
 * happened; signals are handed on, because npm may signal only us.
 */
function run() {
  const child = spawn(NODE, ['--import', TSX, path.resolve(ROOT, script), ...scriptArguments], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${path.join(MODULES, '.bin')}${path.delimiter}${process.env.PATH ?? ''}` },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0)
    clearInterval(watch)
  })
  // Under npm, npm or the shell between it and us may be killed without a word; whoever starts us by hand may well go away on purpose.
  const ancestors = () => {
    const above = process.ppid
    return isShellOfNpm(above) ? `${above} ${parentOf(above)}` : `${above}`
  }
  const atStart = ancestors()
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event && ancestors() !== atStart) child.kill('SIGTERM')
  }, 1000)
  watch.unref()
}

/** @param {number} pid @returns {boolean} whether npm's shell stands between npm and us; some shells make way for us instead */
function isShellOfNpm(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('bootstrap.mjs')
  } catch {
    return false
  }
}

/** @param {number} pid @returns {string} the parent of a process; empty when it is gone */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? ''
  } catch {
    return ''
  }
}
