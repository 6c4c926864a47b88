import type { Instance } from './instance'

/** The shop's own account at stand-ins that ask for one. */
export const DEMO_ACCOUNT_EMAIL = 'shop@localhost'

/** The payment providers that have a stand-in, each with the secret that signs its callbacks. */
const PROVIDER_SECRETS = {
  fakepay: 'fakepayWebhook',
  cryptocloud: 'cryptocloud',
  btcpay: 'btcpay',
  stripe: 'stripeWebhook',
  nowpayments: 'nowpayments',
  cryptomus: 'cryptomus',
  yookassa: 'yookassa',
} as const
type DemoProvider = keyof typeof PROVIDER_SECRETS

/** Where the stand-ins of a demo answer and what opens them; the shape of the same names in `demo.json`. */
export type DemoServices = {
  /** What the shop is told of each way to pay, by the names of its fields; not in `demo.json`. */
  providerSettings: Record<DemoProvider, Record<string, string>>
  url: string
  inboxUrl: string
  echoUrl: string
  mail: { apiUrl: string; controlUrl: string }
  /** The stand-in for Telegram's Bot API with one bot. */
  telegram: { apiUrl: string; token: string; controlUrl: string }
  providers: Record<DemoProvider, { webhookUrl: string; secret: string; apiUrl: string; controlUrl: string }>
  suppliers: Record<
    'px6' | 'iproyal' | 'iproyal-residential' | 'webshare' | 'proxy-seller' | 'proxy-cheap',
    { apiUrl: string; key: string; secret?: string; controlUrl: string }
  >
  /** The local proxy. Stock for it is made with stockCredential(index, key) of fakes/exit.ts. */
  exit: { host: string; port: number; key: string }
}

/** A token as Telegram writes them: the bot's number, a colon, its secret. */
export function botToken({ secrets }: Instance): string {
  return `1000000001:${secrets.telegramBot}`
}

/** The stand-ins of this instance, for a shop at `url`. */
export function demoServices(instance: Instance, url: string): DemoServices {
  const { ports, secrets } = instance
  const at = (name: keyof Instance['ports']) => `http://127.0.0.1:${ports[name]}`
  return {
    url,
    inboxUrl: at('mail'),
    echoUrl: at('echo'),
    mail: { apiUrl: at('mail'), controlUrl: `${at('mail')}/control` },
    telegram: { apiUrl: at('telegram'), token: botToken(instance), controlUrl: `${at('telegram')}/control` },
    providers: Object.fromEntries(
      Object.entries(PROVIDER_SECRETS).map(([name, secret]) => [
        name,
        {
          webhookUrl: `${url}/api/webhooks/${name}`,
          secret: secrets[secret],
          apiUrl: at(name as DemoProvider),
          controlUrl: `${at(name as DemoProvider)}/control`,
        },
      ]),
    ) as DemoServices['providers'],
    providerSettings: providerSettings(instance),
    suppliers: {
      px6: { apiUrl: `${at('px6')}/api`, key: secrets.px6Key, controlUrl: `${at('px6')}/control` },
      iproyal: {
        apiUrl: `${at('iproyal')}/v1/reseller`,
        key: secrets.iproyalKey,
        controlUrl: `${at('iproyal')}/control`,
      },
      'iproyal-residential': {
        apiUrl: `${at('iproyalResidential')}/v1`,
        key: secrets.iproyalResidentialKey,
        controlUrl: `${at('iproyalResidential')}/control`,
      },
      webshare: { apiUrl: at('webshare'), key: secrets.webshareKey, controlUrl: `${at('webshare')}/control` },
      'proxy-seller': {
        apiUrl: `${at('proxySeller')}/personal/api/v2`,
        key: secrets.proxySellerKey,
        controlUrl: `${at('proxySeller')}/control`,
      },
      'proxy-cheap': {
        apiUrl: at('proxyCheap'),
        key: secrets.proxyCheapKey,
        secret: secrets.proxyCheapSecret,
        controlUrl: `${at('proxyCheap')}/control`,
      },
    },
    exit: { host: '127.0.0.1', port: ports.exit, key: secrets.exitKey },
  }
}

function providerSettings({ ports, secrets }: Instance): DemoServices['providerSettings'] {
  const at = (name: DemoProvider) => ({ apiUrl: `http://127.0.0.1:${ports[name]}` })
  return {
    fakepay: { ...at('fakepay'), apiKey: secrets.fakepayKey, webhookSecret: secrets.fakepayWebhook },
    cryptocloud: {
      ...at('cryptocloud'),
      apiKey: secrets.cryptocloudKey,
      shopId: secrets.cryptocloudShopId,
      secret: secrets.cryptocloud,
    },
    btcpay: { ...at('btcpay'), apiKey: secrets.btcpayKey, storeId: secrets.btcpayStoreId, secret: secrets.btcpay },
    stripe: { ...at('stripe'), secretKey: secrets.stripeKey, webhookSecret: secrets.stripeWebhook },
    nowpayments: {
      ...at('nowpayments'),
      apiKey: secrets.nowpaymentsKey,
      ipnSecret: secrets.nowpayments,
      email: DEMO_ACCOUNT_EMAIL,
      password: secrets.nowpaymentsPassword,
    },
    cryptomus: { ...at('cryptomus'), merchantId: secrets.cryptomusMerchantId, paymentKey: secrets.cryptomus },
    yookassa: { ...at('yookassa'), shopId: secrets.yookassaShopId, secretKey: secrets.yookassa },
  }
}

/** The settings that point a demo shop at its stand-ins, by the outside service they belong to. */
export function demoSettings(instance: Instance): Record<string, string>[] {
  const { secrets } = instance
  const services = demoServices(instance, '')
  return [
    {
      RESEND_API_URL: services.mail.apiUrl,
      RESEND_API_KEY: secrets.mailKey,
      RESEND_WEBHOOK_SECRET: secrets.mailWebhook,
      // Whoever sets a mail server means that one.
      SMTP_URL: '',
    },
  ]
}
