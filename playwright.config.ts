import { chmodSync, mkdtempSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { defineConfig, type ReporterDescription } from '@playwright/test'
import { chooseKeptPort } from './scripts/files'
import { findBrowser } from './scripts/find-browser'

/**
 * Browser tests run against a whole demo shop of their own: a fresh data folder and a free port. This file is read by every test process; what
 * was chosen first is handed on in the environment. Tests find the folder (demo.json, instance.json) in SLUICE_E2E_DATA_DIR.
 */
if (!process.env.SLUICE_E2E_DATA_DIR) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-e2e-'))
  chmodSync(folder, 0o755)
  process.env.SLUICE_E2E_DATA_DIR = path.join(folder, 'shop')
}
process.env.SLUICE_E2E_PORT ??= String(await chooseKeptPort(new Set()))
const url = `http://localhost:${process.env.SLUICE_E2E_PORT}`
const browser = await findBrowser()
// A developer's .env or shell may name a real database or a real mail service: set empty, each setting is the demo's own.
const settingNames = readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)
const noSettings = Object.fromEntries([...settingNames].map(([, name]) => [name!, '']))
const report = process.env.SLUICE_E2E_REPORT
const reporters: ReporterDescription[] = [['list']]
if (report) reporters.push(['json', { outputFile: report }])

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  forbidOnly: true,
  // One shop, two cores: more workers only wait for each other.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: reporters,
  use: {
    baseURL: url,
    browserName: 'chromium',
    launchOptions: {
      executablePath: browser.executablePath,
      args: browser.args,
      ...(browser.env ? { env: { ...process.env, ...browser.env } as Record<string, string> } : {}),
    },
    trace: 'retain-on-failure',
    locale: 'en-GB',
  },
  webServer: {
    command: 'node --import tsx scripts/start.ts',
    url: `${url}/api/ready`,
    timeout: 240_000,
    stdout: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 20_000 },
    env: {
      ...noSettings,
      PORT: process.env.SLUICE_E2E_PORT,
      PUBLIC_URL: url,
      SLUICE_MODE: 'demo',
      SLUICE_DATA_DIR: process.env.SLUICE_E2E_DATA_DIR,
    },
  },
})
