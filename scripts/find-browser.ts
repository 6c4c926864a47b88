import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** `env`: what the browser needs in its environment beside ours. */
export type Browser = { executablePath: string; args: string[]; env?: Record<string, string>; from: string }

/** Chromium calls its maker's hosts when it starts; tests stay on this machine. A sandbox needs rights that containers do not give. */
const QUIET_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/**
 * A Chromium for the browser tests, without a download where that can be helped: the one PLAYWRIGHT_CHROMIUM names, Playwright's own if it was
 * installed, the system's, and else the one that comes as an npm package. Throws when PLAYWRIGHT_CHROMIUM names nothing.
 */
export async function findBrowser(): Promise<Browser> {
  const configured = process.env.PLAYWRIGHT_CHROMIUM
  if (configured) {
    if (!existsSync(configured)) throw new Error(`PLAYWRIGHT_CHROMIUM names ${configured}, and there is no such file.`)
    return { executablePath: configured, args: QUIET_ARGS, from: 'PLAYWRIGHT_CHROMIUM' }
  }
  const { chromium } = await import('playwright')
  const own = chromium.executablePath()
  if (own && existsSync(own)) return { executablePath: own, args: QUIET_ARGS, from: 'Playwright' }
  for (const name of SYSTEM_NAMES)
    for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(folder, name)
      if (folder && existsSync(file)) return { executablePath: file, args: QUIET_ARGS, from: 'the system' }
    }
  return findPackaged()
}

/**
 * The Chromium of the npm package. It unpacks itself into the temporary folder, with the libraries and fonts it needs only where it believes to be
 * on the service it was made for; a bare machine lacks them just as well, so it is told so. What it puts into the environment is for the browser
 * alone: its libraries must not reach PostgreSQL or Node.
 */
async function findPackaged(): Promise<Browser> {
  const before = { ...process.env }
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs24.x'
  const { default: packaged } = await import('@sparticuz/chromium')
  const executablePath = await packaged.executablePath()
  const libraries = path.join(os.tmpdir(), 'al2023', 'lib')
  const env = {
    FONTCONFIG_PATH: path.join(os.tmpdir(), 'fonts'),
    LD_LIBRARY_PATH: [libraries, before.LD_LIBRARY_PATH].filter(Boolean).join(path.delimiter),
  }
  for (const name of ['AWS_EXECUTION_ENV', ...Object.keys(env)]) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
  // Made for one screenshot at a time, it brings switches that turn the browser's own fences off and put all into one process, which ends with the
  // first window that is closed; a test of a shop wants neither.
  const args = packaged.args.filter(
    (each) => !/web-security|site-isolation|insecure-content|single-process|no-zygote/.test(each),
  )
  return { executablePath, args: [...args, ...QUIET_ARGS], env, from: '@sparticuz/chromium' }
}
