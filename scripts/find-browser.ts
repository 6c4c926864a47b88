import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export type Browser = { executablePath: string; args: string[]; from: string }

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
  // It unpacks itself into the temporary folder; on some systems its libraries must be found there as well.
  const { default: packaged } = await import('@sparticuz/chromium')
  const executablePath = await packaged.executablePath()
  process.env.LD_LIBRARY_PATH = [path.join(os.tmpdir(), 'al2023', 'lib'), process.env.LD_LIBRARY_PATH]
    .filter(Boolean)
    .join(path.delimiter)
  // Made for screenshots, it brings switches that turn the browser's own fences off; a test of a shop wants them on.
  const args = packaged.args.filter((each) => !/web-security|site-isolation|insecure-content/.test(each))
  return { executablePath, args: [...args, ...QUIET_ARGS], from: '@sparticuz/chromium' }
}
