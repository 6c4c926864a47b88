import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { hashFiles, isPortFree, listFiles } from './files'
import { FORMAT, openInstance, readInstance, StartError, takeLock } from './instance'
import { checkSettings } from './settings'

const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-instance-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a data folder', () => {
  test('is made once, readable for its owner only, and keeps its ports and secrets', async () => {
    const dataDir = path.join(folder, 'new')
    const first = await openInstance(dataDir)
    expect(await openInstance(dataDir)).toEqual(first)
    expect(statSync(path.join(dataDir, 'instance.json')).mode & 0o777).toBe(0o600)
    // Root lets PostgreSQL's user pass through; nobody may list it.
    expect(statSync(dataDir).mode & 0o066).toBe(0)
    expect(new Set(Object.values(first.ports)).size).toBe(Object.keys(first.ports).length)
    expect(first.secrets.fakepayWebhook).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  })

  test('of an older Sluice gets what it lacks and keeps what it has', async () => {
    const dataDir = path.join(folder, 'older')
    mkdirSync(dataDir)
    const stored = {
      format: FORMAT,
      id: 'a'.repeat(16),
      createdAt: '',
      ports: { exit: 21_111 },
      secrets: { auth: 'kept' },
    }
    writeFileSync(path.join(dataDir, 'instance.json'), JSON.stringify(stored))
    const opened = await openInstance(dataDir)
    expect(opened).toMatchObject({ id: stored.id, ports: { exit: 21_111 }, secrets: { auth: 'kept' } })
    expect(opened.ports.echo).toBeGreaterThan(0)
    expect(readInstance(dataDir)).toEqual(opened)
  })

  test.each([
    ['of a newer version', JSON.stringify({ format: FORMAT + 1, id: 'a'.repeat(16) }), 'newer Sluice'],
    ['with half a file', '{"format": 1', 'damaged'],
    ['with somebody else’s file', '{"name": "x"}', 'damaged'],
    ['with an id that is a path', JSON.stringify({ format: FORMAT, id: '../../etc' }), 'damaged'],
  ])('%s is refused in one sentence and not changed', async (name, text, words) => {
    const dataDir = path.join(folder, name.replaceAll(/\W/g, ''))
    mkdirSync(dataDir)
    const file = path.join(dataDir, 'instance.json')
    writeFileSync(file, text)
    const error: unknown = await openInstance(dataDir).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StartError)
    expect((error as Error).message).toContain(words)
    expect((error as Error).message.split('\n')).toHaveLength(1)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('that is a file is refused in one sentence', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    await expect(openInstance(file)).rejects.toBeInstanceOf(StartError)
  })
})

describe('a lock', () => {
  const sleeper = () => spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' })
  const startTime = (pid: number) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  }

  test('is held by the living', () => {
    const file = path.join(folder, 'held.lock')
    const child = sleeper()
    writeFileSync(file, `${child.pid} ${startTime(child.pid!)}\n`)
    expect(takeLock(file)).toEqual({ heldBy: child.pid })
    child.kill('SIGKILL')
  })

  test('of a process that is gone, or whose number another process has now, is taken over', () => {
    const file = path.join(folder, 'stale.lock')
    const child = sleeper()
    for (const holder of ['999999999 5', `${child.pid} 1`, '']) {
      writeFileSync(file, holder)
      const lock = takeLock(file)
      expect(lock).toMatchObject({ wasStale: true })
      if ('release' in lock) lock.release()
    }
    child.kill('SIGKILL')
  })

  test('is free again when it was given back', () => {
    const file = path.join(folder, 'free.lock')
    for (let round = 0; round < 2; round += 1) {
      const lock = takeLock(file)
      expect(lock).toMatchObject({ wasStale: false })
      expect(takeLock(file)).toEqual({ heldBy: process.pid })
      if ('release' in lock) lock.release()
    }
  })
})

test('the ports it chooses are none of those the shop itself will listen on', async () => {
  const reserved = Array.from({ length: 9_000 }, (_, index) => 20_000 + index)
  const { ports } = await openInstance(path.join(folder, 'reserved'), reserved)
  expect(Object.values(ports).filter((port) => reserved.includes(port))).toEqual([])
})

test('a port that somebody listens on is not free', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  expect(await isPortFree(port, '127.0.0.1')).toBe(false)
  await new Promise((resolve) => server.close(resolve))
  expect(await isPortFree(port, '127.0.0.1')).toBe(true)
})

test('the hash of sources sees a change of content, of name, and nothing else', () => {
  const root = path.join(folder, 'sources')
  mkdirSync(path.join(root, 'a'), { recursive: true })
  const write = (name: string, text: string) => writeFileSync(path.join(root, name), text)
  const hash = () =>
    hashFiles(
      root,
      listFiles([root], (file) => !file.endsWith('.test.ts')),
    )
  write('a/one.ts', '1')
  const before = hash()
  write('a/one.test.ts', 'x')
  write('a/one.ts', '1')
  expect(hash()).toBe(before)
  write('a/one.ts', '2')
  expect(hash()).not.toBe(before)
  write('a/one.ts', '1')
  write('a/two.ts', '')
  expect(hash()).not.toBe(before)
})

test('production names everything that is missing at once, and no value', () => {
  const settings = {
    SLUICE_MODE: 'production',
    DATABASE_URL: 'postgresql://x',
    PUBLIC_URL: 'http://localhost:1',
    FAKEPAY_API_KEY: 'hush',
  }
  expect(() => checkSettings(settings)).toThrow(/AUTH_SECRET.*\n(.*\n)*.*PUBLIC_URL/)
  expect(() => checkSettings(settings)).toThrow(/RESEND_API_KEY/)
  expect(() => checkSettings(settings)).not.toThrow(/hush/)
})

describe('the key that secrets are stored under', () => {
  const production = {
    SLUICE_MODE: 'production',
    DATABASE_URL: 'postgresql://x',
    PUBLIC_URL: 'https://shop.example',
    AUTH_SECRET: 'f3b1c9'.repeat(8),
    RESEND_API_KEY: 're_1',
    MAIL_FROM: 'Shop <shop@shop.example.org>',
  }
  const random = 'c41f09ae7b52d6833e10f7a49b2c5d68e0917f3a4b6c8d2e5f70819a2b3c4d5e'

  test.each([
    ['missing', ''],
    ['too short', random.slice(2)],
    ['no hex and no base64', 'a random key of thirty-two bytes'],
    ['one byte over and over', '00'.repeat(32)],
    ['words in base64', Buffer.from('please-change-me-please-change-m').toString('base64')],
  ])('%s is refused in production by name', (_, SETTINGS_KEY) => {
    expect(() => checkSettings({ ...production, SETTINGS_KEY })).toThrow('SETTINGS_KEY')
  })

  test('is taken in hex and in base64, as the same bytes', () => {
    const hex = checkSettings({ ...production, SETTINGS_KEY: random }).SETTINGS_KEY
    const base64 = Buffer.from(random, 'hex').toString('base64')
    expect(hex).toEqual(checkSettings({ ...production, SETTINGS_KEY: base64 }).SETTINGS_KEY)
    expect(hex).toHaveLength(32)
  })
})

describe('the way mail goes', () => {
  const production = {
    SLUICE_MODE: 'production',
    DATABASE_URL: 'postgresql://x',
    PUBLIC_URL: 'https://shop.example',
    AUTH_SECRET: 'f3b1c9'.repeat(8),
    SETTINGS_KEY: 'c41f09ae7b52d6833e10f7a49b2c5d68e0917f3a4b6c8d2e5f70819a2b3c4d5e',
    MAIL_FROM: 'Shop <shop@shop.example.org>',
  }
  const webhookSecret = `whsec_${Buffer.from('twenty-four random bytes').toString('base64')}`

  test.each([
    ['Resend', { RESEND_API_KEY: 're_1' }],
    ['Resend that tells what became of mails', { RESEND_API_KEY: 're_1', RESEND_WEBHOOK_SECRET: webhookSecret }],
    ['a mail server', { SMTP_URL: 'smtps://shop:hush@mail.example.org:465' }],
    ['a mail server on this machine', { SMTP_URL: 'smtp://127.0.0.1:25?starttls=off' }],
  ])('may be %s', (_, settings) => {
    expect(() => checkSettings({ ...production, ...settings })).not.toThrow()
  })

  test.each([
    ['neither is set', {}, /RESEND_API_KEY: or SMTP_URL is needed/],
    [
      'both are set',
      { RESEND_API_KEY: 're_1', SMTP_URL: 'smtps://mail.example.org' },
      /SMTP_URL: is set beside RESEND/,
    ],
    [
      'it is a stand-in',
      { RESEND_API_KEY: 're_1', RESEND_API_URL: 'http://127.0.0.1:1' },
      /RESEND_API_URL: .*stand-in/,
    ],
    ['it is no mail server', { SMTP_URL: 'https://shop:hush@mail.example.org' }, /SMTP_URL: must be smtp/],
    [
      'it is not encrypted',
      { SMTP_URL: 'smtp://shop:hush@mail.example.org?starttls=off' },
      /SMTP_URL: must not switch/,
    ],
    ['the sender is nobody', { RESEND_API_KEY: 're_1', MAIL_FROM: 'Sluice <shop@localhost>' }, /MAIL_FROM: is needed/],
    [
      'the sender is two lines',
      { RESEND_API_KEY: 're_1', MAIL_FROM: 'Shop\nBcc: <a@b.example.org>' },
      /MAIL_FROM: must be/,
    ],
    ['its webhook secret is none', { RESEND_API_KEY: 're_1', RESEND_WEBHOOK_SECRET: 'hush' }, /RESEND_WEBHOOK_SECRET/],
  ])('refused when %s, by name and without a value', (_, settings, message) => {
    expect(() => checkSettings({ ...production, ...settings })).toThrow(message)
    expect(() => checkSettings({ ...production, ...settings })).not.toThrow(/hush/)
  })
})
