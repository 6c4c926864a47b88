import { z } from 'zod'

/**
 * Every setting, parsed once at the first use. Nothing else in the code reads process.env (a test holds that), so this file and
 * `.env.example` are the whole truth about configuration. Production refuses stand-ins and missing secrets by name.
 */
const text = z.string().trim().min(1)
const optionalText = z
  .string()
  .trim()
  .optional()
  .transform((value) => (value === '' ? undefined : value))
const optionalUrl = optionalText.pipe(z.url().optional())

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
    LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
    MAIL_FROM: text.default('Sluice <shop@localhost>'),
    RESEND_API_KEY: optionalText,
    RESEND_API_URL: optionalUrl,
    FAKEPAY_API_URL: optionalUrl,
    FAKEPAY_API_KEY: optionalText,
    FAKEPAY_WEBHOOK_SECRET: optionalText,
    CRYPTOCLOUD_API_URL: optionalUrl.default('https://api.cryptocloud.plus'),
    CRYPTOCLOUD_API_KEY: optionalText,
    CRYPTOCLOUD_SHOP_ID: optionalText,
    CRYPTOCLOUD_SECRET: optionalText,
    BTCPAY_API_URL: optionalUrl,
    BTCPAY_API_KEY: optionalText,
    BTCPAY_STORE_ID: optionalText,
    BTCPAY_WEBHOOK_SECRET: optionalText,
    STRIPE_API_URL: optionalUrl.default('https://api.stripe.com'),
    STRIPE_SECRET_KEY: optionalText,
    STRIPE_WEBHOOK_SECRET: optionalText,
    NOWPAYMENTS_API_URL: optionalUrl.default('https://api.nowpayments.io'),
    NOWPAYMENTS_API_KEY: optionalText,
    NOWPAYMENTS_IPN_SECRET: optionalText,
    NOWPAYMENTS_EMAIL: optionalText,
    NOWPAYMENTS_PASSWORD: optionalText,
    CRYPTOMUS_API_URL: optionalUrl.default('https://api.cryptomus.com'),
    CRYPTOMUS_MERCHANT_ID: optionalText,
    CRYPTOMUS_PAYMENT_KEY: optionalText,
    YOOKASSA_API_URL: optionalUrl.default('https://api.yookassa.ru'),
    YOOKASSA_SHOP_ID: optionalText,
    YOOKASSA_SECRET_KEY: optionalText,
    YOOKASSA_CHECK_ADDRESS: z.enum(['yes', 'no']).default('no'),
    PX6_API_URL: optionalUrl.default('https://px6.link/api'),
    PX6_API_KEY: optionalText,
    WORKER_CONCURRENCY: z.coerce.number().int().min(1).max(100).default(8),
  })
  .superRefine((env, context) => {
    const refuse = (setting: string, message: string) => context.addIssue({ code: 'custom', path: [setting], message })
    const pairs: [string, (string | undefined)[]][] = [
      ['CRYPTOCLOUD_SECRET', [env.CRYPTOCLOUD_API_KEY, env.CRYPTOCLOUD_SHOP_ID, env.CRYPTOCLOUD_SECRET]],
      [
        'BTCPAY_WEBHOOK_SECRET',
        [env.BTCPAY_API_URL, env.BTCPAY_API_KEY, env.BTCPAY_STORE_ID, env.BTCPAY_WEBHOOK_SECRET],
      ],
      ['STRIPE_WEBHOOK_SECRET', [env.STRIPE_SECRET_KEY, env.STRIPE_WEBHOOK_SECRET]],
      ['NOWPAYMENTS_IPN_SECRET', [env.NOWPAYMENTS_API_KEY, env.NOWPAYMENTS_IPN_SECRET]],
      ['NOWPAYMENTS_PASSWORD', [env.NOWPAYMENTS_EMAIL, env.NOWPAYMENTS_PASSWORD]],
      ['CRYPTOMUS_PAYMENT_KEY', [env.CRYPTOMUS_MERCHANT_ID, env.CRYPTOMUS_PAYMENT_KEY]],
      ['YOOKASSA_SECRET_KEY', [env.YOOKASSA_SHOP_ID, env.YOOKASSA_SECRET_KEY]],
      ['FAKEPAY_WEBHOOK_SECRET', [env.FAKEPAY_API_URL, env.FAKEPAY_API_KEY, env.FAKEPAY_WEBHOOK_SECRET]],
    ]
    for (const [setting, values] of pairs) {
      const set = values.filter((value) => value !== undefined).length
      if (set !== 0 && set !== values.length)
        refuse(setting, 'must be set together with the other settings of this provider')
    }
    if (env.SLUICE_MODE !== 'production') return
    if (env.FAKEPAY_API_URL) refuse('FAKEPAY_API_URL', 'is a stand-in and is refused in production')
    for (const setting of [
      'CRYPTOCLOUD_API_URL',
      'BTCPAY_API_URL',
      'STRIPE_API_URL',
      'NOWPAYMENTS_API_URL',
      'CRYPTOMUS_API_URL',
      'YOOKASSA_API_URL',
      'PX6_API_URL',
      'RESEND_API_URL',
    ] as const) {
      const url = env[setting]
      if (url && isLocal(url))
        refuse(setting, 'points at this machine, where only a stand-in can be; refused in production')
    }
    if (new URL(env.NOWPAYMENTS_API_URL).hostname.includes('sandbox'))
      refuse('NOWPAYMENTS_API_URL', 'is the sandbox: with it no real money comes; refused in production')
    if (/^[a-z]+_test_/.test(env.STRIPE_SECRET_KEY ?? ''))
      refuse('STRIPE_SECRET_KEY', 'is a test key: with it no real money comes; refused in production')
    if (env.YOOKASSA_SECRET_KEY?.startsWith('test_'))
      refuse('YOOKASSA_SECRET_KEY', 'is the key of a test shop: with it no real money comes; refused in production')
    if (!env.RESEND_API_KEY)
      refuse('RESEND_API_KEY', 'is needed in production: without it nobody can confirm an address')
    if (isLocal(env.PUBLIC_URL) || !env.PUBLIC_URL.startsWith('https://'))
      refuse('PUBLIC_URL', 'must be the https address customers use')
    if (/^(.)\1*$/.test(env.AUTH_SECRET) || /change|secret|example|default/i.test(env.AUTH_SECRET))
      refuse('AUTH_SECRET', 'must be a random value')
  })

function isLocal(url: string): boolean {
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
