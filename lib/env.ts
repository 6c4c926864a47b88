import { z } from 'zod'

/**
 * Every setting, parsed once at the first use. Nothing else in the code reads process.env (a test holds that), so this file and
 * `.env.example` are the whole truth about what is set from outside (ways to pay and suppliers are set up in the admin). Production refuses stand-ins and missing secrets by name.
 */
const text = z.string().trim().min(1)
const optionalText = z
  .string()
  .trim()
  .optional()
  .transform((value) => (value === '' ? undefined : value))
const optionalUrl = optionalText.pipe(z.url().optional())
/** 32 bytes in hex or base64, as bytes. */
const optionalKey = optionalText.transform((value, context) => {
  if (value === undefined) return undefined
  const isHex = /^[0-9a-f]{64}$/i.test(value)
  const key = isHex ? Buffer.from(value, 'hex') : Buffer.from(value, 'base64')
  if (isHex || (key.length === 32 && /^[A-Za-z0-9+/]{43}=?$/.test(value))) return key
  context.addIssue({
    code: 'custom',
    message: 'must be 32 random bytes in hex or base64, for example from `openssl rand -hex 32`',
  })
  return z.NEVER
})

/** An address alone, or a name and an address. No line break: both stand in a header of every mail. */
const MAIL_FROM_FORM = /^(?:[^<>"\p{Cc}]+ <[^\s<>@\p{Cc}]+@[^\s<>@\p{Cc}]+>|[^\s<>@\p{Cc}]+@[^\s<>@\p{Cc}]+)$/u

/** Whether this is the address of a mail server. The message of its refusal never shows it: it may hold a password. */
function isSmtpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, searchParams } = new URL(value)
  return (
    ['smtp:', 'smtps:'].includes(protocol) &&
    hostname !== '' &&
    [...searchParams].every(([name, setting]) => name === 'starttls' && setting === 'off')
  )
}

const schema = z
  .object({
    SLUICE_MODE: z.enum(['demo', 'production', 'test']).default('demo'),
    PORT: z.coerce.number().int().min(1).max(65535).default(3000),
    PUBLIC_URL: z.url().default('http://localhost:3000'),
    DATABASE_URL: text,
    DATABASE_POOL: z.coerce.number().int().min(1).max(200).default(16),
    SLUICE_DATA_DIR: text.default('data'),
    SHOP_NAME: text.default('Sluice'),
    SHOP_CURRENCY: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .default('USD'),
    AUTH_SECRET: z.string().min(32),
    SETTINGS_KEY: optionalKey,
    SETTINGS_KEY_PREVIOUS: optionalKey,
    LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
    MAIL_FROM: text.default('Sluice <shop@localhost>').refine((value) => MAIL_FROM_FORM.test(value), {
      message: 'must be an address, or a name and an address: Shop <shop@example.com>',
    }),
    RESEND_API_KEY: optionalText,
    RESEND_API_URL: optionalUrl,
    RESEND_WEBHOOK_SECRET: optionalText.refine((value) => !value || /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/.test(value), {
      message: 'must be the signing secret as Resend shows it: whsec_ and base64',
    }),
    SMTP_URL: optionalText.refine((value) => !value || isSmtpUrl(value), {
      message: 'must be smtp://user:password@host:587 or smtps://user:password@host:465',
    }),
    CHECK_TARGET_URL: optionalUrl,
    BALANCER_COUNT: z.coerce.number().int().min(1).max(5).default(1),
    WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(100).default(8),
  })
  .superRefine((env, context) => {
    const refuse = (setting: string, message: string) => context.addIssue({ code: 'custom', path: [setting], message })
    if (env.RESEND_API_KEY && env.SMTP_URL) refuse('SMTP_URL', 'is set beside RESEND_API_KEY; keep one of the two')
    if (env.SLUICE_MODE !== 'production') return
    if (env.RESEND_API_URL && isLocal(env.RESEND_API_URL))
      refuse('RESEND_API_URL', 'points at this machine, where only a stand-in can be; refused in production')
    if (!env.RESEND_API_KEY && !env.SMTP_URL)
      refuse('RESEND_API_KEY', 'or SMTP_URL is needed in production: without mail nobody can confirm an address')
    if (env.SMTP_URL && new URL(env.SMTP_URL).searchParams.has('starttls') && !isLocal(env.SMTP_URL))
      refuse('SMTP_URL', 'must not switch encryption off: the password and every mail would travel in the open')
    if (/@(localhost|127\.[\d.]+|[^>]*\.(localhost|local|test|invalid|example))>?$/i.test(env.MAIL_FROM))
      refuse('MAIL_FROM', 'is needed in production: an address at your own domain, from which the mails come')
    if (isLocal(env.PUBLIC_URL) || !env.PUBLIC_URL.startsWith('https://'))
      refuse('PUBLIC_URL', 'must be the https address customers use')
    if (env.CHECK_TARGET_URL && !env.CHECK_TARGET_URL.startsWith('https://'))
      refuse('CHECK_TARGET_URL', 'must be an https address: over http a proxy could write the answer itself')
    if (/^(.)\1*$/.test(env.AUTH_SECRET) || /change|secret|example|default/i.test(env.AUTH_SECRET))
      refuse('AUTH_SECRET', 'must be a random value')
    if (!env.SETTINGS_KEY)
      refuse('SETTINGS_KEY', 'is needed in production: the keys of payment providers and suppliers are stored under it')
    else if (looksChosen(env.SETTINGS_KEY)) refuse('SETTINGS_KEY', 'must be 32 random bytes')
  })

/** Whether a key was typed and not drawn: words, or few bytes over and over. Random bytes look so less than once in 10^13 keys. */
function looksChosen(key: Buffer): boolean {
  return new Set(key).size < 12 || key.every((byte) => byte >= 0x20 && byte < 0x7f)
}

/** Whether an address is one of this machine's own, where in production only a stand-in can be. */
export function isLocal(url: string): boolean {
  const host = new URL(url).hostname
  return host === 'localhost' || host.startsWith('127.') || host === '[::1]' || host === '0.0.0.0'
}

export type Env = z.infer<typeof schema>

/** Reads settings from a plain record. Throws an Error whose message names every setting that is wrong and why. */
export function parseEnv(source: Record<string, string | undefined>): Env {
  const parsed = schema.safeParse(source)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`The settings do not hold:\n  ${lines.join('\n  ')}\nSee .env.example for each of them.`)
}

let parsed: Env | undefined

/** The settings of this process. Parsed on first use, so that importing a module needs no settings. */
export function env(): Env {
  if (!parsed) {
    parsed = parseEnv(process.env)
    // next-auth reads its address from here and from nowhere else; without it, it sends people to port 3000 of their own machine.
    process.env.NEXTAUTH_URL = parsed.PUBLIC_URL
  }
  return parsed
}

/** Whether Next's development server runs us. Not a setting: Next decides, and the built shop never says yes. */
export function isDevelopmentServer(): boolean {
  return process.env.NODE_ENV === 'development'
}
