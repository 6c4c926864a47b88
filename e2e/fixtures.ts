import { readFileSync } from 'node:fs'
import path from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test'
import { encode } from 'next-auth/jwt'
import { Client } from 'pg'
import { newId } from '../lib/kit/ids'

/**
 * What every browser test stands on: the demo shop that playwright.config.ts started, people who are signed in by a session row (not by typing),
 * money on a balance by the ledger, and the demo's mailbox. An unexpected message in the browser's console or a request that leaves this
 * machine fails the test.
 */
const folder = process.env.SLUICE_E2E_DATA_DIR!

type Login = { email: string; username: string; password: string }
export type Demo = {
  url: string
  inboxUrl: string
  echoUrl: string
  mail: { controlUrl: string }
  telegram: { apiUrl: string; token: string; controlUrl: string }
  owner: Login
  staff: { support: Login }
  customers: Login[]
  providers: Record<
    'fakepay' | 'cryptocloud',
    { webhookUrl: string; secret: string; apiUrl: string; controlUrl: string }
  >
  suppliers: Record<'px6' | 'proxy-seller', { apiUrl: string; key: string; controlUrl: string }>
}
type Instance = { ports: { postgres: number }; secrets: { auth: string; database: string } }

const readJson = <Shape>(name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Shape
export const demo = () => readJson<Demo>('demo.json')

/** The shop's own database, for what a test cannot wait for: people, money, sessions. */
export async function query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  const { ports, secrets } = readJson<Instance>('instance.json')
  const client = new Client({
    connectionString: `postgresql://sluice:${secrets.database}@127.0.0.1:${ports.postgres}/sluice`,
  })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

export type Person = { id: string; email: string; username: string }

/** Somebody with a confirmed address and no password, by direct insert; with money if asked, through the ledger. */
export async function makePerson(input: { role?: string; balance?: number; locale?: string } = {}): Promise<Person> {
  const id = newId('usr')
  const username = `p${id.slice(-12)}`
  const person = { id, username, email: `${username}@example.test` }
  await query(
    `INSERT INTO users (id, email, username, username_key, password_hash, role, locale, email_verified_at) VALUES ($1, $2, $3, $3, 'none', $4, $5, now())`,
    [id, person.email, username, input.role ?? 'customer', input.locale ?? 'en'],
  )
  if (input.balance)
    await query(
      `SELECT ledger_post('adjustment:' || $1, ledger_account('shop', 'adjustments', 'USD'), ledger_account($1, 'customer_balance', 'USD'), $2, 'USD', 'adjustment', $1, NULL, now())`,
      [id, BigInt(Math.round(input.balance * 1_000_000))],
    )
  return person
}

/** Signs a person in on this browser: a session row, and the cookie that names it. */
export async function signIn(context: BrowserContext, person: { id: string }): Promise<void> {
  const sessionId = newId('ses')
  await query(`INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')`, [
    sessionId,
    person.id,
  ])
  const value = await encode({ token: { sid: sessionId }, secret: readJson<Instance>('instance.json').secrets.auth })
  await context.addCookies([{ name: 'sluice-session', value, url: demo().url, httpOnly: true, sameSite: 'Lax' }])
}

export type Mail = { subject: string; html: string; text: string; links: string[] }
/** What has arrived in somebody's mailbox, newest first. */
export async function mailsTo(address: string): Promise<Mail[]> {
  const answer = await fetch(`${demo().mail.controlUrl}/mails?to=${encodeURIComponent(address)}`)
  return (await answer.json()) as Mail[]
}

/** One call to a stand-in's control API. */
export async function control<Answer>(controlUrl: string, call: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(
    `${controlUrl}/${call}`,
    body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
  )
  expect(answer.ok, `${call}: ${answer.status}`).toBe(true)
  return (await answer.json()) as Answer
}

/** axe finds nothing, and nothing sticks out to the side. */
export async function expectAccessible(page: Page): Promise<void> {
  // A page that streams shows its skeleton first.
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  // The frame of a mail runs no scripts, so axe cannot look into it and would wait for ever.
  await page.locator('iframe[sandbox=""]').evaluateAll((frames) => frames.forEach((frame) => frame.remove()))
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`),
  ).toEqual([])
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(overflow, 'nothing sticks out to the side').toBeLessThanOrEqual(0)
}

/** The name of what has the focus, as a screen reader would say it. */
export async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (!element || element === document.body) return ''
    const labels =
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement ? [...(element.labels ?? [])] : []
    return (element.getAttribute('aria-label') ?? (labels[0] ?? element).textContent ?? '').trim()
  })
}

/** Tabs until something of this name has the focus; fails when the focus has gone round without it. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const isIt = (text: string) => (typeof name === 'string' ? text === name : name.test(text))
  const seen: string[] = []
  for (let presses = 0; presses < 150; presses += 1) {
    const text = await focused(page)
    if (isIt(text)) return
    seen.push(text)
    await page.keyboard.press('Tab')
  }
  throw new Error(`the focus never came to ${String(name)}; it came to: ${[...new Set(seen)].join(' | ')}`)
}

/** Comes to a field with the keyboard alone and types over what stands there. */
export async function typeInto(page: Page, name: string, text: string): Promise<void> {
  await tabTo(page, name)
  await page.keyboard.press('Control+A')
  await page.keyboard.type(text)
}

/** Comes to a button or link with the keyboard alone and presses Enter. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  await tabTo(page, name)
  await page.keyboard.press('Enter')
}

type Fixtures = { person: Person; allowedErrors: RegExp[] }

export const test = base.extend<Fixtures>({
  /** Console messages this test provokes on purpose. */
  allowedErrors: [[], { option: true }],
  /** A customer with 100 USD, signed in. */
  person: async ({ context }, use) => {
    const person = await makePerson({ balance: 100 })
    await signIn(context, person)
    await use(person)
  },
  page: async ({ page, allowedErrors }, use) => {
    const troubles: string[] = []
    page.on('console', (message) => {
      // The browser's answer to the test's own tools, which ask inside every frame: nothing runs in the frame of a mail.
      if (/^Blocked script execution in '[^']*\/admin\/(mail\/previews|campaigns)\/\w+\/html/.test(message.text()))
        return
      if (message.type() === 'error' && !allowedErrors.some((each) => each.test(message.text())))
        troubles.push(`${message.text()} (${page.url()})`)
    })
    page.on('pageerror', (error) => troubles.push(error.message))
    await page.route(/.*/, (route) => {
      const { hostname, protocol } = new URL(route.request().url())
      if (['localhost', '127.0.0.1'].includes(hostname) || protocol === 'data:') return route.fallback()
      troubles.push(`a request to ${hostname}`)
      return route.abort()
    })
    await use(page)
    expect(troubles).toEqual([])
  },
})

export { expect }
